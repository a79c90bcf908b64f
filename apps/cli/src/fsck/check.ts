import { randomUUID } from 'node:crypto';
import type { ObjectPlace } from '@entrepot/blob-store';
import { checkStore, createPace, type StoreFinding, type StoreTally } from '@entrepot/content';
import {
  DatabaseUnavailable,
  PostgresObjectLedger,
  PostgresObjectMoves,
  PostgresQuarantine,
  PostgresRecoverySource,
  PostgresSweepCandidates,
  countQuarantined,
  findBrokenRows,
  repositoriesWithBlob,
  type DatabasePool,
} from '@entrepot/metadata';
import { CommandFailure } from '../exit-codes.js';
import { formatBytes, formatCount } from '../storage/migration-progress.js';
import { checkManifests } from './check-manifests.js';
import { formatFinding, type Finding } from './finding.js';

const PROGRESS_INTERVAL_MS = 5_000;
const NAMED_REPOSITORIES = 20;

export interface Fsck {
  /** Read every object and manifest, and compare them with their digests. */
  readonly isDeep: boolean;
  readonly repairs: boolean;
  /** Print JSON, one finding per line. */
  readonly json: boolean;
  /** Undefined: as fast as it goes. */
  readonly bytesPerSecond?: number;
}

export interface FsckOutput {
  /** Findings. */
  write(text: string): void;
  /** Progress, and what it comes to. */
  tell(text: string): void;
}

export interface CheckRoom {
  readonly pool: DatabasePool;
  readonly places: readonly ObjectPlace[];
  /** Where the driver would have objects in the data directory, and there is nothing. */
  readonly missingDirectory?: string;
  readonly gc: { readonly grace: number; readonly sweepAge: number };
  readonly wanted: Fsck;
  readonly output: FsckOutput;
  readonly signal: AbortSignal;
}

/** Looks at rows and stores, prints what differs, and ends with `CommandFailure` unless nothing does. */
export class Check {
  readonly #tally: StoreTally = { objects: 0, bytes: 0, waiting: 0, doomed: 0 };
  readonly #blind: string[] = [];
  #found = 0;
  #repaired = 0;
  #beyondRepair = 0;
  #toldAtMs = performance.now();

  constructor(private readonly room: CheckRoom) {}

  async run(): Promise<void> {
    const { pool, places, gc, wanted, signal } = this.room;
    for await (const row of findBrokenRows(pool, { repairs: wanted.repairs, graceMs: gc.grace })) {
      const repositories = row.repository === undefined ? [] : [row.repository];
      const { kind, found: note, isRepaired: repaired } = row;
      this.#print({ kind, ...pick(row.digest, row.objectKey), repositories, repaired, note });
    }
    if (wanted.isDeep) for await (const finding of checkManifests(pool, signal)) this.#print(finding);
    await this.#checkReach();
    // A database that began anew over the storage of a lost one knows none of its objects.
    const ownsStores = await new PostgresRecoverySource(pool).hasLog();
    for (const place of places) await this.#checkPlace(place, ownsStores);
    await this.#conclude();
  }

  /** A blob in a store without settings cannot be looked at. */
  async #checkReach(): Promise<void> {
    const { pool, places } = this.room;
    const known = places.length === 0 ? '^$' : `(${places.map(({ keyPattern }) => keyPattern).join('|')})`;
    const { blobs } = await new PostgresObjectMoves(pool).countMisplaced(known);
    if (blobs === 0) return;
    const { missingDirectory: directory } = this.room;
    const where = directory === undefined ? 'stores that have no settings here' : `${directory}, which does not exist`;
    this.#blind.push(`${formatCount(blobs, 'blob')} in ${where}`);
  }

  async #checkPlace(place: ObjectPlace, ownsStores: boolean): Promise<void> {
    const { pool, gc, wanted, signal } = this.room;
    const room = {
      ledger: new PostgresObjectLedger(pool),
      candidates: new PostgresSweepCandidates(pool),
      quarantine: new PostgresQuarantine(pool),
      signal,
      run: `fsck ${randomUUID()}`,
      ageMs: gc.sweepAge,
      isDeep: wanted.isDeep,
      repairs: wanted.repairs,
      ownsStores,
      paceBytes: createPace(wanted.bytesPerSecond ?? 0, signal),
      note: () => this.#tellProgress(place),
    };
    try {
      for await (const finding of checkStore(room, place, this.#tally)) this.#print(await this.#named(finding));
    } catch (error) {
      // Whatever a store's client rejects with: the others are looked at all the same.
      if (signal.aborted || error instanceof DatabaseUnavailable) throw error;
      this.#blind.push(`the store ${place.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #named({ kind, key, digest, isRepaired: repaired, isBeyondRepair, note }: StoreFinding): Promise<Finding> {
    if (isBeyondRepair === true) this.#beyondRepair += 1;
    const repositories =
      digest === undefined ? [] : await repositoriesWithBlob(this.room.pool, digest, NAMED_REPOSITORIES);
    return { kind, ...pick(digest, key), repositories, repaired, note };
  }

  #print(finding: Finding): void {
    this.#found += 1;
    if (finding.repaired) this.#repaired += 1;
    this.room.output.write(this.room.wanted.json ? `${JSON.stringify(finding)}\n` : formatFinding(finding));
  }

  #tellProgress({ name }: ObjectPlace): void {
    if (performance.now() - this.#toldAtMs < PROGRESS_INTERVAL_MS) return;
    this.#toldAtMs = performance.now();
    const { objects, bytes } = this.#tally;
    this.room.output.tell(`${name}: ${formatCount(objects, 'object')}, ${formatBytes(bytes)}\n`);
  }

  async #conclude(): Promise<void> {
    const { objects, bytes, waiting, doomed } = this.#tally;
    const quarantined = await countQuarantined(this.room.pool);
    const said = [
      `${formatCount(objects, 'object')} (${formatBytes(bytes)}) compared, ${formatCount(this.#found, 'finding')}`,
      ...(this.#repaired > 0 ? [`${this.#repaired} repaired`] : []),
      ...(waiting > 0 ? [`${formatCount(waiting, 'unknown object')} noted before`] : []),
      ...(doomed > 0 ? [`${formatCount(doomed, 'unknown object')} given up to removal`] : []),
      ...(quarantined > 0 ? [`${formatCount(quarantined, 'blob')} in quarantine until pushed again`] : []),
    ];
    this.room.output.tell(`${said.join('; ')}\n`);
    if (this.#blind.length > 0) throw new CommandFailure('blind', `could not look at ${this.#blind.join('; ')}`);
    if (this.#found > 0) {
      const isMendable = this.#repaired + this.#beyondRepair < this.#found;
      const advice = isMendable ? "; 'entrepot fsck --repair' mends what can be mended" : '';
      throw new CommandFailure(
        'refused',
        `${formatCount(this.#found, 'finding')}${this.room.wanted.repairs ? '' : advice}`,
      );
    }
  }
}

function pick(digest: Finding['digest'], key: string | undefined): Pick<Finding, 'digest' | 'key'> {
  return { ...(digest !== undefined && { digest }), ...(key !== undefined && { key }) };
}
