import { randomBytes } from 'node:crypto';
import { loginSection, tokenSection } from '@entrepot/access';
import { contentSection, gcSection, uploadsSection } from '@entrepot/content';
import { jobsSection } from '@entrepot/jobs';
import { grpcSection } from '@entrepot/jobrunner/settings';
import { databaseSection } from '@entrepot/metadata';
import { deliverySection } from '@entrepot/registry/settings';
import {
  httpSection,
  loadConfig,
  logSection,
  opsSection,
  redisSection,
  secretsSection,
  type ConfigOf,
  type LoadConfigOptions,
} from '@entrepot/runtime';
import { dataPaths, type DataPaths } from './data-directory.js';
import { ensureSecrets, GENERATED_SECRETS, type GeneratedSecret } from './secrets.js';
import { adminSection, dataSection } from './sections.js';

/** Every setting of a standalone Entrepot, all services together. */
export const standaloneSections = [
  httpSection,
  opsSection,
  logSection,
  databaseSection,
  redisSection,
  secretsSection,
  dataSection,
  adminSection,
  deliverySection,
  contentSection,
  uploadsSection,
  gcSection,
  jobsSection,
  grpcSection,
  tokenSection,
  loginSection,
] as const;

export type StandaloneConfig = ConfigOf<typeof standaloneSections>;

export type SettingsSource = Pick<LoadConfigOptions, 'environment' | 'file'>;

/** The settings as given, before anything on disk was made, and which secrets nobody gave. */
export interface GivenSettings {
  readonly config: StandaloneConfig;
  readonly paths: DataPaths;
  readonly missing: readonly GeneratedSecret[];
}

/**
 * Reads the settings and reports every problem with them, before the data directory is touched: secrets that will be
 * generated are stood in for. Throws `ConfigError`.
 */
export function readSettings(source: SettingsSource): GivenSettings {
  const standIn = randomBytes(32).toString('base64url');
  const supplied = Object.fromEntries(Object.keys(GENERATED_SECRETS).map((variable) => [variable, standIn]));
  const config = loadConfig(standaloneSections, { ...source, supplied });
  const missing: GeneratedSecret[] = [];
  if (config.http.secret[0].reveal() === standIn) missing.push('ENTREPOT_HTTP_SECRET');
  if (config.secrets.key[0].reveal() === standIn) missing.push('ENTREPOT_SECRETS_KEY');
  return { config, paths: dataPaths(config.data.dir), missing };
}

/**
 * Makes sure of the secrets that nobody gave, and returns them by variable name. `mayLackKey`: the database keeps
 * nothing that a former key sealed.
 */
export function prepareSecrets({ paths, missing }: GivenSettings, mayLackKey: boolean): Record<string, string> {
  return ensureSecrets(paths.secrets, { wanted: missing, mayLackKey });
}

/** The settings with what this start supplies in their places. */
export function completeSettings(source: SettingsSource, supplied: Record<string, string>): StandaloneConfig {
  return loadConfig(standaloneSections, { ...source, supplied });
}
