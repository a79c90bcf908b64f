import { connectionUrl, readConnection } from '@entrepot/embedded-postgres';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { join } from 'node:path';
import type { Client } from '../client/start-client.js';
import type { ContenderName } from '../contenders/contender.js';

/** How much of everything is done. */
export interface GcSize {
  /** Numbers of blobs that are kept, each tried in a database of its own. */
  readonly kept: readonly number[];
  /** Blobs that are removed to measure a rate. */
  readonly removed: number;
  /** Blobs that are there to be removed while requests are timed. */
  readonly removedUnderLoad: number;
  /** How long each load lasts. */
  readonly loadMs: number;
}

export const FULL_GC: GcSize = {
  kept: [0, 100_000, 1_000_000],
  removed: 30_000,
  removedUnderLoad: 100_000,
  loadMs: 20_000,
};

export const QUICK_GC: GcSize = { kept: [0, 100_000], removed: 10_000, removedUnderLoad: 40_000, loadMs: 8_000 };

/** What every measurement may use. */
export interface GcLab {
  /** Everything is below it. */
  readonly directory: string;
  readonly size: GcSize;
  readonly client: Client;
  /** Contenders that shall take part. */
  readonly peers: readonly ContenderName[];
  readonly say: (line: string) => void;
}

/** A product that collects when it is told to, at full speed, and lets go at once of what was deleted. */
export interface Collector {
  readonly entrepot: Entrepot;
  readonly databaseUrl: string;
  readonly storageRoot: string;
}

/** Longer than the bench runs. */
const NEVER = '1d';

export async function startCollector({ directory }: GcLab, name: string): Promise<Collector> {
  const dataDirectory = join(directory, name);
  const entrepot = await startEntrepot({
    dataDirectory,
    settings: {
      ENTREPOT_GC_GRACE: '0s',
      ENTREPOT_GC_UNDO: '0s',
      ENTREPOT_GC_INTERVAL: NEVER,
      ENTREPOT_GC_REMOVAL_RATE: '0',
    },
  });
  const connection = readConnection(join(dataDirectory, 'postgres'));
  if (connection === undefined) throw new Error('the database of the product cannot be found');
  return { entrepot, databaseUrl: connectionUrl(connection), storageRoot: join(dataDirectory, 'storage') };
}

/** Results as they are printed. */
export interface GcTable {
  readonly title: string;
  readonly text: string;
}
