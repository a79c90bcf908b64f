import type { SuiteName } from './ledger/ledger.js';
import type { Features } from './main-branch/trial.js';
import type { Credentials } from './wire/token.js';

/** The specification level whose assertions the main suite holds. */
export type Level = 'dev' | '1.1';

/** What to test and how; see `README.md` for the variables. */
export interface Settings {
  readonly registry: URL;
  readonly credentials: Credentials;
  readonly repository: string;
  readonly otherRepository: string;
  /** Holds `{}` and the empty blob before the run, as repositories of a used registry do. */
  readonly seedRepository?: string;
  readonly suites: readonly SuiteName[];
  readonly level: Level;
  readonly hasSparse: boolean;
  readonly mountsAutomatically: boolean;
}

/** A variable that is missing, unknown or not understood. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const prefix = 'CONFORMANCE_';
const names = [
  'URL',
  'USERNAME',
  'PASSWORD',
  'REPO1',
  'REPO2',
  'SEED_REPO',
  'SUITES',
  'LEVEL',
  'SPARSE',
  'AUTOMATIC_MOUNT',
] as const;
type VariableName = (typeof names)[number];
type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the `CONFORMANCE_…` variables; throws {@link SettingsError} with the name of the one that is wrong. */
export function readSettings(environment: Environment): Settings {
  refuseUnknown(environment);
  const read = (name: VariableName, fallback: string) => environment[`${prefix}${name}`] ?? fallback;
  const seedRepository = read('SEED_REPO', '');
  return {
    registry: readUrl(read('URL', '')),
    credentials: { username: read('USERNAME', ''), password: read('PASSWORD', '') },
    repository: read('REPO1', 'conformance/repo1'),
    otherRepository: read('REPO2', 'conformance/repo2'),
    ...(seedRepository !== '' && { seedRepository }),
    suites: read('SUITES', 'main,v1.1.1,beyond')
      .split(',')
      .map((suite) => choose('SUITES', suite.trim(), ['main', 'v1.1.1', 'beyond'])),
    level: choose('LEVEL', read('LEVEL', 'dev'), ['dev', '1.1']),
    hasSparse: choose('SPARSE', read('SPARSE', 'off'), ['on', 'off']) === 'on',
    mountsAutomatically: choose('AUTOMATIC_MOUNT', read('AUTOMATIC_MOUNT', 'on'), ['on', 'off']) === 'on',
  };
}

/** What the level and options switch on. */
export function featuresOf(settings: Pick<Settings, 'level' | 'hasSparse'>): Features {
  const isDev = settings.level === 'dev';
  return { digestHeader: isDev, uploadCancel: isDev, tagParameters: isDev, sparse: settings.hasSparse };
}

function refuseUnknown(environment: Environment): void {
  const known = new Set<string>(names.map((name) => `${prefix}${name}`));
  const unknown = Object.keys(environment).find((key) => key.startsWith(prefix) && !known.has(key));
  if (unknown !== undefined) throw new SettingsError(`${unknown} is not known; known are ${[...known].join(', ')}`);
}

function readUrl(text: string): URL {
  if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text);
  throw new SettingsError(`${prefix}URL must be the http or https address of a registry`);
}

function choose<const Choice extends string>(name: VariableName, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new SettingsError(`${prefix}${name} must be ${choices.join(' or ')}`);
  return choice;
}
