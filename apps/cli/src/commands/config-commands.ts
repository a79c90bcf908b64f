import { readFileSync } from 'node:fs';
import { maskedConfig } from '@entrepot/runtime';
import type { Command } from 'commander';
import { readSettings, standaloneSections } from '../standalone/settings.js';
import type { CommandContext } from './context.js';

/** Version of this Entrepot. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** `config show` and `version`. */
export function addConfigCommands(program: Command, { source, write }: CommandContext): void {
  program
    .command('config')
    .description('settings')
    .command('show')
    .description('print the settings in effect, secrets masked')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) => {
      const { config, missing } = readSettings(source);
      const generated = missing.map((variable) => [variable, '[generated]']);
      const shown = { ...maskedConfig(config, standaloneSections), ...Object.fromEntries(generated) };
      write(json ? `${JSON.stringify(shown, null, 2)}\n` : formatSettings(shown));
    });
  program
    .command('version')
    .description('print the version')
    .action(() => write(`entrepot ${VERSION} (node ${process.versions.node})\n`));
}

function formatSettings(settings: Record<string, string | null>): string {
  return Object.entries(settings)
    .map(([variable, value]) => (value === null ? `# ${variable} is not set\n` : `${variable}=${value}\n`))
    .join('');
}
