import { findPlaces, joinPlaces, type ObjectPlace } from '@entrepot/blob-store';
import { endOfLog, gcSection, hasLosses, rebuild, type RebuildReport, type RebuildStep } from '@entrepot/content';
import { findOccupants, rebuildInto } from '@entrepot/metadata';
import { ConfigError, loadConfig } from '@entrepot/runtime';
import { migrateDatabase } from '../administration/migrate-database.js';
import { CommandFailure } from '../exit-codes.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';
import { missingSettings, readStorageSettings } from '../storage/storage-settings.js';
import { describeLosses, describeRows } from './describe-rebuild.js';
import { withLostDatabase } from './with-lost-database.js';

const PROGRESS_INTERVAL_MS = 2_000;
const SHOWN_LOSSES = 50;

export interface RebuildRegistry {
  /** Print JSON, one object per line. */
  readonly json?: true;
  /** Do everything, say what came of it, and take it back. */
  readonly dryRun?: true;
}

/**
 * Fills an empty database from the recovery log and the records of objects. Throws `CommandFailure`: `refused` where
 * something was lost, though the rest was rebuilt; `blind` where nothing could be rebuilt.
 */
export async function rebuildRegistry(
  source: SettingsSource,
  wanted: RebuildRegistry,
  write: (text: string) => void,
): Promise<void> {
  const report = await runRebuild(source, wanted, write).catch(explainNothing);
  tellReport(report, wanted, write);
  if (!hasLosses(report)) return;
  const details = wanted.json ? [] : describeLosses(report).slice(0, SHOWN_LOSSES);
  const message = 'the registry was rebuilt, but for what the log or the store has lost';
  throw new CommandFailure('refused', message, { details });
}

/** Settings that cannot be used have an exit code of their own. */
function explainNothing(error: unknown): never {
  if (error instanceof ConfigError || (error instanceof CommandFailure && error.reason === 'config')) throw error;
  const { message, cause } = error as Error;
  const reason = cause instanceof Error && !message.includes(cause.message) ? ` (${cause.message})` : '';
  const details = error instanceof CommandFailure ? error.details : [];
  throw new CommandFailure('blind', `nothing was rebuilt: ${message}${reason}`, { details, cause: error });
}

async function runRebuild(
  source: SettingsSource,
  wanted: RebuildRegistry,
  write: (text: string) => void,
): Promise<RebuildReport> {
  const { gc } = loadConfig([gcSection], { ...source, known: standaloneSections });
  const { place, places } = await findLog(source);
  const show = progressLine(wanted, write);
  if (!wanted.json) write(`rebuilding from the log in ${place.where}\n`);
  return withLostDatabase(source, async (url) => {
    await refuseOccupied(url);
    await migrateDatabase(url);
    let report: RebuildReport | undefined;
    const isDone = await rebuildInto(url, async (target) => {
      const store = joinPlaces(place, places);
      report = await rebuild({ log: place.recovery, store, target, graceMs: gc.grace, onProgress: show });
      return wanted.dryRun !== true;
    });
    if (!isDone || report === undefined) throw filled();
    return report;
  });
}

/** The store whose log goes furthest: where the driver was changed, the one that took over last. */
async function findLog(source: SettingsSource): Promise<{ place: ObjectPlace; places: readonly ObjectPlace[] }> {
  const settings = readStorageSettings(source);
  const { driver } = settings.storage;
  const places = await findPlaces(settings.storage, settings.dataDirectory);
  if (!places.some(({ name }) => name === driver)) throw missingSettings(driver, settings);
  const logs = [];
  for (const place of places) {
    const end = await endOfLog(place.recovery);
    if (end !== undefined) logs.push({ place, ...end });
  }
  const [best] = logs.toSorted((a, b) => Number(b.hasSnapshot) - Number(a.hasSnapshot) || b.highest - a.highest);
  if (best !== undefined) return { place: best.place, places };
  const searched = places.map(({ where }) => where).join(', ');
  throw new CommandFailure('blind', `there is no recovery log beside the objects in ${searched}`);
}

async function refuseOccupied(url: string): Promise<void> {
  const { hasContent, services } = await findOccupants(url);
  if (services.length > 0) {
    const message = `an Entrepot runs on this database (${services.join(', ')}); stop it first`;
    throw new CommandFailure('blind', message);
  }
  if (hasContent) throw filled();
}

function filled(): CommandFailure {
  return new CommandFailure('blind', 'the database holds repositories or content; only an empty one is filled');
}

/** Shows a step when it begins, and how far it is every two seconds. */
function progressLine({ json }: RebuildRegistry, write: (text: string) => void) {
  let current: RebuildStep | undefined;
  let nextMs = 0;
  return (step: RebuildStep, done: number): void => {
    const nowMs = performance.now();
    if (step === current && nowMs < nextMs) return;
    current = step;
    nextMs = nowMs + PROGRESS_INTERVAL_MS;
    write(json ? `${JSON.stringify({ step, done })}\n` : `${step}: ${done}\n`);
  };
}

function tellReport(report: RebuildReport, { json, dryRun }: RebuildRegistry, write: (text: string) => void): void {
  const isDryRun = dryRun === true;
  if (json) write(`${JSON.stringify({ dryRun: isDryRun, ...report })}\n`);
  else write(describeRows(report, isDryRun));
}
