import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { nearestName } from './nearest-name.js';
import { readConfigFile } from './read-config-file.js';
import { configKeys } from './section.js';
import type { ConfigKey, ConfigOf, ConfigSection } from './section.js';

export interface LoadConfigOptions {
  /** Usually `process.env`. Names outside `ENTREPOT_` are not looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A YAML file; overrides `ENTREPOT_CONFIG_FILE`. */
  readonly file?: string;
  /** Sections of the other services: their keys may be present and are not parsed, so that services can share one environment. */
  readonly known?: readonly ConfigSection[];
  /** Values by variable name for keys that neither environment nor file sets: what standalone generated. */
  readonly supplied?: Readonly<Record<string, string>>;
}

/** The configuration cannot be used: every problem at once, one line each, none of them holding a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Read by the launcher and by this loader themselves, or for the project's own tests. */
const RESERVED = /^ENTREPOT_(CONFIG_FILE|NODE|TEST_.+)$/;

/** What Kubernetes adds for a service named entrepot or entrepot-…; not ours, and not a mistake. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)$/;

/**
 * Defaults ← supplied ← YAML file ← environment, checked by the sections' schemas and deep-frozen.
 * A blank variable counts as absent, but for secrets, where it is refused.
 * @throws ConfigError naming every unknown key, with the nearest known one, and every bad value.
 */
export function loadConfig<const Sections extends readonly ConfigSection[]>(
  sections: Sections,
  options: LoadConfigOptions,
): ConfigOf<Sections> {
  const problems: string[] = [];
  const keys = configKeys(sections);
  const allKeys = [...keys, ...configKeys(options.known ?? [])];
  const file = options.file ?? options.environment['ENTREPOT_CONFIG_FILE'];
  const fromFile = file === undefined || file === '' ? {} : readConfigFile(file, allKeys, problems);
  reportUnknownVariables(options.environment, allKeys, problems);
  const texts = new Map<string, string>();
  for (const key of keys) {
    const text =
      readVariable(key, options.environment, problems) ?? fromFile[key.variable] ?? options.supplied?.[key.variable];
    if (text !== undefined) texts.set(key.variable, text);
  }
  const config = Object.fromEntries(sections.map((each) => [each.name, parseSection(each, texts, problems)]));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config) as ConfigOf<Sections>;
}

function reportUnknownVariables(
  environment: LoadConfigOptions['environment'],
  keys: readonly ConfigKey[],
  problems: string[],
): void {
  const known = new Set(keys.flatMap((key) => [key.variable, `${key.variable}_FILE`]));
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('ENTREPOT_') || known.has(name) || RESERVED.test(name)) continue;
    if (SERVICE_LINK.test(name) || /^(tcp|udp):\/\//.test(value ?? '')) continue;
    const nearest = nearestName(name, [...known]);
    problems.push(`${name}: no such setting; did you mean ${nearest ?? 'another one'}?`);
  }
}

/** The variable itself, or the trimmed content of the file that `<variable>_FILE` names. */
function readVariable(
  key: ConfigKey,
  environment: LoadConfigOptions['environment'],
  problems: string[],
): string | undefined {
  const own = environment[key.variable];
  const path = environment[`${key.variable}_FILE`];
  const direct = own === undefined || (own.trim() === '' && !key.secret) ? undefined : own;
  if (path === undefined || path === '') return direct;
  if (direct !== undefined) {
    problems.push(`${key.variable}: set together with ${key.variable}_FILE; keep one of them`);
    return undefined;
  }
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    problems.push(`${key.variable}_FILE: the file cannot be read (${reason})`);
    return undefined;
  }
}

function parseSection(each: ConfigSection, texts: ReadonlyMap<string, string>, problems: string[]): unknown {
  const keys = configKeys([each]);
  const input: Record<string, string> = {};
  for (const key of keys) {
    const text = texts.get(key.variable);
    if (text === undefined) continue;
    if (key.secret && text.trim() === '') problems.push(`${key.variable}: must not be blank; unset it or give a value`);
    else input[key.key] = text;
  }
  const result = each.schema.safeParse(input);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const key = keys.find((candidate) => candidate.key === issue.path[0]);
    const variable = key?.variable ?? `section ${each.name}`;
    const text = texts.get(variable);
    if (key?.secret === true && text?.trim() === '') continue;
    const isMissing = text === undefined && issue.code === 'invalid_type';
    problems.push(`${variable}: ${isMissing ? 'required, but not set' : withoutValue(issue, text)}`);
  }
  return undefined;
}

/** The schema's reason; should it quote the value, the quotation is taken out. */
function withoutValue(issue: z.core.$ZodIssue, text: string | undefined): string {
  return text === undefined || text.length < 3 ? issue.message : issue.message.replaceAll(text, '[value]');
}

/** Freezes objects and lists; instances of classes (secrets, block lists) guard themselves. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
