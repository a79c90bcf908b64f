import { existsSync } from 'node:fs';
import { findPlaces, type ObjectPlace } from '@entrepot/blob-store';
import { createPool, detectPooler, type DatabasePool } from '@entrepot/metadata';
import { withDatabase } from '../administration/with-database.js';
import { CommandFailure } from '../exit-codes.js';
import { readSecrets } from '../standalone/secrets.js';
import { completeSettings, type GivenSettings, type SettingsSource } from '../standalone/settings.js';
import { checkCertificates, checkSigningKeys } from './check-certificates.js';
import { checkClocks } from './check-clocks.js';
import { checkDatabase } from './check-database.js';
import { checkQueues } from './check-queues.js';
import { checkReadReplica } from './check-read-replica.js';
import { checkSettings } from './check-settings.js';
import { checkStorage } from './check-storage.js';
import { checkWork } from './check-work.js';
import type { Finding, Outcome } from './finding.js';
import { runChecks, type Check } from './run-checks.js';

const TIMEOUTS = { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 };

interface Doctor {
  readonly source: SettingsSource;
  readonly write: (text: string) => void;
  readonly json?: true;
}

/**
 * Looks quickly over everything that an installation needs, beside whatever runs, and says what to do. Throws
 * `CommandFailure`: `refused` where something failed, `blind` where there is nothing to look at.
 */
export async function doctor({ source, write, json }: Doctor): Promise<void> {
  const { given, findings } = checkSettings(source);
  const all = given ? [...findings, ...(await examine(source, given))] : findings;
  write(
    json ? `${JSON.stringify({ outcome: worstOf(all), findings: all }, null, 2)}\n` : all.map(formatFinding).join(''),
  );
  const failed = all.filter(({ outcome }) => outcome === 'fail').length;
  if (failed > 0) throw new CommandFailure('refused', `${failed} of ${all.length} findings are failures`);
}

async function examine(source: SettingsSource, given: GivenSettings): Promise<Finding[]> {
  try {
    return await withDatabase(source, (url) => examineWith(source, given, url));
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure('blind', error.message, { cause: error, details: error.details });
  }
}

async function examineWith(source: SettingsSource, given: GivenSettings, url: string): Promise<Finding[]> {
  const places = await findPlaces(given.config.storage, given.paths.top);
  const pooler = await detectPooler(url).catch((error: Error) => error);
  if (pooler instanceof Error) {
    const reason = pooler.cause instanceof Error ? pooler.cause.message : pooler.message;
    const advice = 'check ENTREPOT_DATABASE_URL and that Postgres runs';
    const unreachable: Finding = { check: 'database', outcome: 'fail', note: `it cannot be used: ${reason}`, advice };
    return [unreachable, ...(await runChecks(checksOf({ source, given, places, pool: undefined })))];
  }
  const pool = createPool({ url, role: 'owner', poolSize: 4, pooler, ...TIMEOUTS });
  try {
    return await runChecks(checksOf({ source, given, places, pool }));
  } finally {
    await pool.end();
  }
}

interface Room {
  readonly source: SettingsSource;
  readonly given: GivenSettings;
  readonly places: readonly ObjectPlace[];
  /** Undefined where the database cannot be reached. */
  readonly pool: DatabasePool | undefined;
}

function checksOf({ source, given, places, pool }: Room): Check[] {
  const { config, paths } = given;
  const settings = { storage: config.storage, dataDirectory: paths.top, hasDataDirectory: existsSync(paths.lock) };
  const always: Check[] = [
    { name: 'clocks', look: (findings) => checkClocks({ pool, places }, findings) },
    { name: 'storage', look: (findings) => checkStorage({ pool, places, settings }, findings) },
    { name: 'queues', look: (findings) => checkQueues(pool, config.redis, findings) },
    { name: 'certificates', look: (findings) => checkCertificates(config, findings) },
  ];
  if (!pool) return always;
  return [
    { name: 'database', look: (findings) => checkDatabase(pool, findings) },
    ...always,
    { name: 'read replica', look: (findings) => checkReadReplica(config.database.readUrl, findings) },
    { name: 'token keys', look: (findings) => checkSigningKeys(pool, ringOf(source, given), findings) },
    { name: 'work', look: (findings) => checkWork(pool, findings) },
  ];
}

/** Undefined where no secret was given, and none was generated here. */
function ringOf(source: SettingsSource, { config, paths, missing }: GivenSettings) {
  if (!missing.includes('ENTREPOT_SECRETS_KEY')) return config.secrets.key;
  const kept = readSecrets(paths.secrets);
  if (kept.ENTREPOT_SECRETS_KEY === undefined || kept.ENTREPOT_HTTP_SECRET === undefined) return undefined;
  return completeSettings(source, kept).secrets.key;
}

function worstOf(findings: readonly Finding[]): Outcome {
  const outcomes = new Set(findings.map(({ outcome }) => outcome));
  return (['fail', 'warn'] as const).find((outcome) => outcomes.has(outcome)) ?? 'ok';
}

function formatFinding({ check, outcome, note, advice }: Finding): string {
  const line = `${outcome.padEnd(5)} ${check.padEnd(13)} ${note}\n`;
  return advice === undefined ? line : `${line}${' '.repeat(20)}-> ${advice}\n`;
}
