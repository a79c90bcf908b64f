import type { ListedObject, ObjectKey } from '../ports/blob-store.js';
import type { Claim, LedgerBlob, ObjectLedger } from '../ports/object-ledger.js';
import type { UnknownObject } from '../ports/sweep-candidates.js';
import type { WalkedStore } from '../ports/walked-store.js';

const BATCH = 500;

/** One store, told by the form of its keys. */
export interface StorePlace {
  readonly name: string;
  readonly keyPattern: string;
  readonly store: WalkedStore;
}

export interface Comparison {
  readonly place: StorePlace;
  readonly ledger: ObjectLedger;
  /** Where a former walk got to. */
  readonly after?: ObjectKey;
}

/** A blob whose object the store shows. */
export interface SeenBlob {
  readonly blob: LedgerBlob;
  readonly found: ListedObject;
}

/** What some steps of a walk showed. It may have changed since: whoever acts on it looks again. */
export interface ComparedStep {
  /** What the store showed. */
  readonly objects: number;
  readonly sizeBytes: number;
  /** Blobs whose objects are there, in the size that they should have. */
  readonly sound: readonly SeenBlob[];
  /** Objects that no row knows. */
  readonly unknown: readonly UnknownObject[];
  /** Blobs whose objects the store did not show, or in another size; those in quarantine are not among them. */
  readonly amiss: readonly LedgerBlob[];
  /** Blobs in quarantine, whatever the store shows of them. */
  readonly quarantined: readonly LedgerBlob[];
  /** Where another walk would go on. */
  readonly after?: ObjectKey;
}

/**
 * Compares a store with the rows, both ways, in one walk through both in the order of keys; memory holds a batch of each. A
 * store that shows its objects in another order costs more second looks and changes no result.
 */
export async function* compareStore({ place, ledger, after: from }: Comparison): AsyncGenerator<ComparedStep> {
  let after = from;
  for await (const batch of batches(place.store.list(from === undefined ? {} : { after: from }))) {
    const upTo = lastAscending(batch, after);
    const shown = new Map(batch.map((object) => [object.key, object]));
    const unknown = await findUnknown(batch, place.store, ledger);
    const totals = { objects: batch.length, sizeBytes: batch.reduce((sum, each) => sum + each.sizeBytes, 0) };
    if (upTo === undefined) {
      yield { ...totals, sound: [], unknown, amiss: [], quarantined: [], ...(after !== undefined && { after }) };
      continue;
    }
    const blobs = ledgerPages(ledger, place.keyPattern, after, upTo);
    yield { ...(await judge(blobs, shown)), ...totals, unknown, after: upTo };
    after = upTo;
  }
  // Behind the last object of the store: blobs that have none.
  for await (const page of ledgerPages(ledger, place.keyPattern, after)) {
    const last = page.at(-1)?.objectKey ?? after;
    yield {
      ...sort(page, new Map()),
      objects: 0,
      sizeBytes: 0,
      unknown: [],
      ...(last !== undefined && { after: last }),
    };
  }
}

/** The last key of the objects at the front of the batch that are in order. */
function lastAscending(batch: readonly ListedObject[], after: ObjectKey | undefined): ObjectKey | undefined {
  let last = after;
  for (const { key } of batch) {
    if (last !== undefined && key <= last) break;
    last = key;
  }
  return last === after ? undefined : last;
}

/** Batches of the walk; what one shows under the same key is added up, and stamped as the youngest of it. */
async function* batches(all: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject[]> {
  let batch = new Map<ObjectKey, ListedObject>();
  for await (const object of all) {
    if (batch.size >= BATCH && !batch.has(object.key)) {
      yield [...batch.values()];
      batch = new Map();
    }
    const former = batch.get(object.key);
    batch.set(object.key, former ? joined(former, object) : object);
  }
  if (batch.size > 0) yield [...batch.values()];
}

function joined(one: ListedObject, other: ListedObject): ListedObject {
  const modifiedAt = one.modifiedAt > other.modifiedAt ? one.modifiedAt : other.modifiedAt;
  return { ...one, sizeBytes: one.sizeBytes + other.sizeBytes, modifiedAt };
}

async function* ledgerPages(
  ledger: ObjectLedger,
  keyPattern: string,
  after: ObjectKey | undefined,
  upTo?: ObjectKey,
): AsyncGenerator<LedgerBlob[]> {
  let last = after;
  for (let found = BATCH; found === BATCH;) {
    const from = last === undefined ? {} : { after: last };
    const page = await ledger.blobs({ keyPattern, limit: BATCH, ...from, ...(upTo !== undefined && { upTo }) });
    found = page.length;
    last = page.at(-1)?.objectKey;
    if (found > 0) yield page;
  }
}

type JudgedBlobs = Pick<ComparedStep, 'sound' | 'amiss' | 'quarantined'>;

async function judge(
  pages: AsyncIterable<LedgerBlob[]>,
  shown: ReadonlyMap<ObjectKey, ListedObject>,
): Promise<JudgedBlobs> {
  const sound: SeenBlob[] = [];
  const amiss: LedgerBlob[] = [];
  const quarantined: LedgerBlob[] = [];
  for await (const page of pages) {
    const found = sort(page, shown);
    sound.push(...found.sound);
    amiss.push(...found.amiss);
    quarantined.push(...found.quarantined);
  }
  return { sound, amiss, quarantined };
}

function sort(blobs: readonly LedgerBlob[], shown: ReadonlyMap<ObjectKey, ListedObject>): JudgedBlobs {
  const sound: SeenBlob[] = [];
  const amiss: LedgerBlob[] = [];
  for (const blob of blobs) {
    const found = shown.get(blob.objectKey);
    if (found?.sizeBytes === blob.sizeBytes) sound.push({ blob, found });
    else if (blob.fault === undefined) amiss.push(blob);
  }
  return { sound, amiss, quarantined: blobs.filter(({ fault }) => fault !== undefined) };
}

/**
 * Objects whose upload no row knows, and what uploads left beside the objects of their blobs. A row is there before its
 * object, and goes after it: what was listed and is unknown afterwards was removed in between, or will never be known.
 */
async function findUnknown(
  batch: readonly ListedObject[],
  store: WalkedStore,
  ledger: ObjectLedger,
): Promise<UnknownObject[]> {
  const uploads = new Set(batch.map(({ key }) => store.uploadOf(key)));
  const claims = await ledger.claims([...uploads]);
  return batch.flatMap((object) => asUnknown(object, store, claims.get(store.uploadOf(object.key))));
}

function asUnknown(
  { key, sizeBytes, modifiedAt, stray }: ListedObject,
  store: WalkedStore,
  claim: Claim | undefined,
): UnknownObject[] {
  const upload = store.uploadOf(key);
  const unknown = { key, upload, sizeBytes, modifiedAt, ...(stray !== undefined && { path: stray.path }) };
  switch (claim?.kind) {
    case 'held':
      return [];
    case 'blob': {
      // The record of an object that was lost is no stray: that the object is missing is what there is to say.
      if (claim.objectKey === key || claim.objectKey === stray?.recordOf) return [];
      return [{ ...unknown, beside: claim.objectKey, doomedKey: store.residueOf(claim.objectKey) }];
    }
    case undefined:
      return [{ ...unknown, doomedKey: upload }];
  }
}

/** What of an unknown object's upload is still there and still unknown: a second look, after which it stays so. */
export async function lookAgain(
  unknown: UnknownObject,
  { store }: StorePlace,
  ledger: ObjectLedger,
): Promise<UnknownObject | undefined> {
  const found: ListedObject[] = [];
  for await (const object of store.listUpload(unknown.upload)) if (object.key === unknown.key) found.push(object);
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  const [again] = await findUnknown([others.reduce(joined, first)], store, ledger);
  return again;
}
