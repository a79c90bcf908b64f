import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { nearestName } from './nearest-name.js';
import type { ConfigKey } from './section.js';

/**
 * Reads `section: { key: value }` from a YAML file into texts by variable name: scalars as written, lists joined by commas.
 * What cannot be used is added to `problems`; no message quotes the file.
 */
export function readConfigFile(
  path: string,
  keys: readonly ConfigKey[],
  problems: string[],
): Readonly<Record<string, string>> {
  const document = readDocument(path, problems);
  const texts: Record<string, string> = {};
  const places = keys.map((key) => `${key.section}.${key.key}`);
  for (const [section, values] of Object.entries(document)) {
    if (!isMapping(values)) {
      problems.push(`${path}: section ${section} must hold keys and values`);
      continue;
    }
    for (const [name, value] of Object.entries(values)) {
      const key = keys.find((candidate) => candidate.section === section && candidate.key === name);
      const text = asText(value);
      if (key === undefined) {
        const nearest = nearestName(`${section}.${name}`, places);
        problems.push(`${path}: ${section}.${name}: no such setting; did you mean ${nearest ?? 'another one'}?`);
      } else if (text === undefined) {
        problems.push(`${path}: ${section}.${name}: must be one value or a list of values`);
      } else if (text !== null) {
        texts[key.variable] = text;
      }
    }
  }
  return texts;
}

function readDocument(path: string, problems: string[]): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    problems.push(`${path}: the configuration file cannot be read (${reason})`);
    return {};
  }
  try {
    const document: unknown = parse(text, { prettyErrors: false });
    if (document === null) return {};
    if (isMapping(document)) return document;
    problems.push(`${path}: must hold sections, such as "http:" with "port: 5000" below it`);
  } catch {
    // The parser's message quotes the line, which may hold a secret.
    problems.push(`${path}: not valid YAML`);
  }
  return {};
}

/** null: absent on purpose; undefined: not a setting's shape. */
function asText(value: unknown): string | null | undefined {
  if (value === null) return null;
  if (Array.isArray(value)) {
    const parts = value.map(asText);
    return parts.every((part) => typeof part === 'string') ? parts.join(',') : undefined;
  }
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
