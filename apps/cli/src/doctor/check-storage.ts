import type { ObjectPlace } from '@entrepot/blob-store';
import { PostgresObjectMoves, type DatabasePool } from '@entrepot/metadata';

import { formatBytes } from '../storage/migration-progress.js';
import { missingSettings, type StorageSettings } from '../storage/storage-settings.js';
import { checkRecoveryLog } from './check-recovery-log.js';
import type { Findings } from './finding.js';

/** So much more than what is kept free should be free. */
const ROOMY = 4;

/** Every store that has settings, and whether each blob lies in one of them. */
export async function checkStorage(
  {
    pool,
    places,
    settings,
  }: {
    readonly pool: DatabasePool | undefined;
    readonly places: readonly ObjectPlace[];
    readonly settings: StorageSettings;
  },
  findings: Findings,
): Promise<void> {
  const { driver, minFree } = settings.storage;
  if (!places.some(({ name }) => name === driver)) {
    findings.fail(missingSettings(driver, settings).message, 'without it nothing can be pushed');
  }
  for (const place of places) await checkPlace(place, minFree, findings);
  if (!pool) return;
  await checkReach(pool, places, findings);
  const current = places.find(({ name }) => name === driver);
  if (current) await checkRecoveryLog(pool, current, findings);
}

async function checkPlace(
  { name, where, store, freeBytes, endsUploads }: ObjectPlace,
  minFree: number,
  findings: Findings,
): Promise<void> {
  try {
    await store.check();
    const free = await freeBytes?.();
    findings.ok(`${name}: ${where} can be written and read${free === undefined ? '' : `, ${formatBytes(free)} free`}`);
    if (free !== undefined && free <= minFree * ROOMY) {
      findings.warn(
        `${name}: ${formatBytes(free)} are free, of which ${formatBytes(minFree)} are kept`,
        'free space or enlarge the volume before pushes are refused',
      );
    }
    if ((await endsUploads?.()) === false) {
      findings.warn(
        `${name}: no rule of the bucket ends multipart uploads that a killed process had begun`,
        'let one end them a day after ENTREPOT_UPLOADS_TTL (docs/storage.md)',
      );
    }
  } catch (error) {
    findings.fail(`${name}: ${(error as Error).message}`, "'entrepot storage check' shows each step");
  }
}

/** A blob in a store without settings cannot be pulled. */
async function checkReach(pool: DatabasePool, places: readonly ObjectPlace[], findings: Findings): Promise<void> {
  const known = places.length === 0 ? '^$' : `(${places.map(({ keyPattern }) => keyPattern).join('|')})`;
  const [lost] = await new PostgresObjectMoves(pool).misplaced(known, { limit: 1 });
  if (!lost) return;
  findings.fail(
    `blobs lie in a store that has no settings here, such as ${lost.digest}`,
    'give the settings of both stores until `entrepot storage migrate` has moved everything',
  );
}
