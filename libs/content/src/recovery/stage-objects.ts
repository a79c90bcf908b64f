import { isDigest } from '@entrepot/oci';
import type { BlobStore, ListedObject } from '../ports/blob-store.js';
import type { FoundObject, RebuildTarget } from '../ports/rebuild-target.js';

/** Records that are read at once: on an object store each is a request. */
const PARALLEL = 32;
const BATCH = 1_000;

/** Notes every object that has a record. Resolves with how many have none; strays are no objects. */
export async function stageObjects(
  store: BlobStore,
  target: RebuildTarget,
  onProgress: (done: number) => void,
): Promise<number> {
  let found: FoundObject[] = [];
  let [done, unfinished] = [0, 0];
  const flush = async (): Promise<void> => {
    if (found.length > 0) await target.stageObjects(found);
    found = [];
    onProgress(done);
  };
  for await (const listed of groups(store.list())) {
    const objects = await Promise.all(listed.map((each) => describeObject(store, each)));
    for (const object of objects) {
      done += 1;
      if (object === undefined) unfinished += 1;
      else found.push(object);
    }
    if (found.length >= BATCH) await flush();
  }
  await flush();
  return unfinished;
}

async function describeObject(store: BlobStore, listed: ListedObject): Promise<FoundObject | undefined> {
  const { key, sizeBytes, hasRecord } = listed;
  const record = hasRecord ? await store.record(key) : undefined;
  if (record === undefined || !isDigest(record.digest)) return undefined;
  const { digest, createdAt } = record;
  if (Number.isNaN(Date.parse(createdAt))) return undefined;
  return { objectKey: key, digest, createdAt, sizeBytes: record.sizeBytes, isWhole: record.sizeBytes === sizeBytes };
}

async function* groups(listed: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject[]> {
  let group: ListedObject[] = [];
  for await (const object of listed) {
    if (object.stray !== undefined) continue;
    group.push(object);
    if (group.length < PARALLEL) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
