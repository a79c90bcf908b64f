import type { RecoveryLog, RecoveryName } from '../ports/recovery-log.js';
import type { RecoveryPosition, RecoveryRecord } from '../ports/recovery-source.js';
import {
  DocumentDamaged,
  decodeDocument,
  sha256Of,
  type RecoveryDocument,
  type SnapshotPart,
} from './segment-codec.js';
import { describeName, segmentName, type NamedDocument } from './segment-names.js';

/** What of the log could not be used. */
export interface LogFault {
  readonly document: string;
  /** What is wrong with it, in words. */
  readonly reason: string;
}

/** How a log was read. */
export interface LogReading {
  /** Whose log it is; undefined where no document could be read. */
  readonly logId?: string;
  readonly documents: number;
  readonly faults: readonly LogFault[];
}

/** Where the log of a store ends; undefined where it has none. */
export async function endOfLog(
  log: RecoveryLog,
): Promise<{ readonly highest: number; readonly hasSnapshot: boolean } | undefined> {
  const found = (await log.list()).map(describeName);
  if (found.length === 0) return undefined;
  return {
    highest: found.reduce((most, { number }) => Math.max(most, number), 0),
    hasSnapshot: found.some(({ kind }) => kind === 'snapshot'),
  };
}

/**
 * Gives `take` the records of the latest whole snapshot, and then those of the segments after it, in the order in which
 * they hold; one document is in memory at a time. A document that is torn, missing or of another installation is noted as a
 * fault and left out. So are, without a fault, last segments whose changes hold only together with what was never written.
 */
export async function readRecoveryLog(
  log: RecoveryLog,
  take: (records: readonly RecoveryRecord[], document: string) => Promise<void>,
): Promise<LogReading> {
  const faults: LogFault[] = [];
  const found = (await log.list()).map(describeName);
  const base = await findSnapshot(log, found, faults);
  if (base === undefined) faults.push({ document: 'snapshot', reason: 'there is no whole snapshot to begin with' });
  let documents = 0;
  const read = async (
    { name, sha256 }: { readonly name: RecoveryName; readonly sha256?: string },
    use: (document: RecoveryDocument) => Promise<void>,
  ): Promise<void> => {
    try {
      await use(await readDocument(log, name, sha256));
      documents += 1;
    } catch (error) {
      if (!(error instanceof DocumentDamaged)) throw error;
      faults.push({ document: name, reason: error.message });
    }
  };
  for (const part of base?.parts ?? []) await read(part, ({ records }) => take(records, part.name));
  const chain = new Chain(base, found);
  for (const { name } of segmentsAfter(found, base?.number ?? -1)) {
    await read({ name }, async ({ header, records }) => {
      chain.add(header);
      await take(records, name);
    });
  }
  const { logId } = chain;
  return { ...(logId !== undefined && { logId }), documents, faults: [...faults, ...chain.gaps] };
}

/** Whether the log is not that of the database that is at `own`. What cannot be read is its own only where it has written one before. */
export async function isForeignLog(
  log: RecoveryLog,
  { logId, driver }: Pick<RecoveryPosition, 'logId' | 'driver'>,
): Promise<boolean> {
  const found = (await log.list()).map(describeName);
  if (found.length === 0) return false;
  const owner = await ownerOfLog(log, found);
  return owner === undefined ? driver === undefined : owner !== logId;
}

/** Whose log it is, by its latest snapshot, or else its latest document; undefined where that cannot be read. */
async function ownerOfLog(log: RecoveryLog, found: readonly NamedDocument[]): Promise<string | undefined> {
  const latest = found.findLast(({ kind }) => kind === 'snapshot') ?? found.at(-1);
  if (latest === undefined) return undefined;
  try {
    return (await readDocument(log, latest.name)).header.logId;
  } catch (error) {
    if (error instanceof DocumentDamaged) return undefined;
    throw error;
  }
}

interface Snapshot {
  readonly number: number;
  readonly logId: string;
  readonly parts: readonly SnapshotPart[];
}

/** The latest one whose parts are all there. Older ones are there only where their removal was cut short. */
async function findSnapshot(
  log: RecoveryLog,
  found: readonly NamedDocument[],
  faults: LogFault[],
): Promise<Snapshot | undefined> {
  const snapshots = found.filter(({ kind }) => kind === 'snapshot').toSorted((a, b) => b.number - a.number);
  for (const { name, number } of snapshots) {
    try {
      const { logId, parts = [] } = (await readDocument(log, name)).header;
      const absent = parts.find((part) => !found.some((each) => each.name === part.name));
      if (absent !== undefined) throw new DocumentDamaged(`its part ${absent.name} is missing`);
      return { number, logId, parts };
    } catch (error) {
      if (!(error instanceof DocumentDamaged)) throw error;
      faults.push({ document: name, reason: error.message });
    }
  }
  return undefined;
}

async function readDocument(log: RecoveryLog, name: RecoveryName, sha256?: string): Promise<RecoveryDocument> {
  const bytes = await log.read(name);
  if (bytes === undefined) throw new DocumentDamaged('it is missing');
  if (sha256 !== undefined && sha256Of(bytes) !== sha256) throw new DocumentDamaged('it was changed');
  const document = await decodeDocument(bytes);
  if (document.header.number !== describeName(name).number) throw new DocumentDamaged('it is that of another number');
  return document;
}

/** Segments in their order, without those at the end that wait for one that was never written. */
function segmentsAfter(found: readonly NamedDocument[], number: number): readonly NamedDocument[] {
  const segments = found
    .filter((each) => each.number > number && (each.kind === 'segment' || each.kind === 'more'))
    .toSorted((a, b) => a.number - b.number);
  return segments.slice(0, segments.findLastIndex(({ kind }) => kind === 'segment') + 1);
}

/** Notices segments of other installations, and those that are missing between two. */
class Chain {
  readonly gaps: LogFault[] = [];
  logId: string | undefined;
  readonly #known: ReadonlySet<number>;
  readonly #begins: number;

  constructor(base: Snapshot | undefined, found: readonly NamedDocument[]) {
    this.#known = new Set(found.map(({ number }) => number));
    this.#begins = base?.number ?? 0;
    this.logId = base?.logId;
  }

  add({ logId, number, previousNumber = 0 }: RecoveryDocument['header']): void {
    this.logId ??= logId;
    if (logId !== this.logId) throw new DocumentDamaged('it was written by another installation');
    if (previousNumber <= this.#begins || this.#known.has(previousNumber)) return;
    this.gaps.push({ document: segmentName(previousNumber, false), reason: `it is missing before ${number}` });
  }
}
