import { configKeys } from './section.js';
import type { ConfigKey, ConfigSection } from './section.js';

/** The settings as Markdown, one table per section; the body of `docs/configuration.md`. */
export function describeConfiguration(sections: readonly ConfigSection[]): string {
  const tables = sections.map((each) => {
    const rows = configKeys([each]).map(describeRow);
    return [`## ${each.name}`, '', '| Variable | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
  });
  return `${tables.join('\n\n')}\n`;
}

function describeRow(key: ConfigKey): string {
  const secret = key.secret ? ` Secret: \`${key.variable}_FILE\` may name a file that holds it.` : '';
  return `| \`${key.variable}\` | ${describeFallback(key)} | ${escapeCell(key.description)}${secret} |`;
}

function describeFallback(key: ConfigKey): string {
  if (key.fallback !== undefined && key.fallback !== '') return `\`${escapeCell(key.fallback)}\``;
  return key.optional ? 'unset' : 'required';
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
