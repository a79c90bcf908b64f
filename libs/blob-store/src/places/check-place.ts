import { createHash, randomBytes } from 'node:crypto';
import { readVerified, type BlobStore, type DurableState, type ObjectKey } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import type { ObjectPlace } from './object-place.js';

const CHUNK_BYTES = 1024 * 1024;
const SMALL_CHUNKS = 1;
/** Two parts of any object store, and a rest, with an interruption inside of a part. */
const LARGE_CHUNKS = 18;
const INTERRUPTED_AT = 9;
const RANGE = { start: 1_000, end: 99_999 };
const LINK = { expirySeconds: 60, contentType: 'application/octet-stream', contentDisposition: 'attachment' };

export type StoreStep = 'write' | 'read' | 'range' | 'multipart' | 'presign' | 'delete';

/** How one step of a check went. */
export interface StepReport {
  readonly step: StoreStep;
  readonly outcome: 'ok' | 'failed' | 'skipped';
  readonly tookMs: number;
  /** What was done, or why it was not. */
  readonly note: string;
}

/** An object that a check made: its bytes are one chunk, over and over. */
interface Probe {
  readonly objectKey: ObjectKey;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Does with a store what the registry does with it, on objects of its own, and tells of each step when it is done. A step
 * that fails does not keep the others; what was written is removed in any case.
 */
export async function* checkPlace(place: ObjectPlace): AsyncGenerator<StepReport> {
  const chunk = randomBytes(CHUNK_BYTES);
  const written: ObjectKey[] = [];
  let small: Probe | undefined;
  yield await runStep('write', async () => {
    small = await writeProbe(place.store, { chunk, chunks: SMALL_CHUNKS }, written);
    return 'an object of 1 MiB';
  });
  yield await runStep('read', () => readProbe(place.store, small));
  yield await runStep('range', () => readPart(place.store, small, chunk));
  yield await runStep('multipart', async () => {
    const large = await writeProbe(
      place.store,
      { chunk, chunks: LARGE_CHUNKS, interruptedAt: INTERRUPTED_AT },
      written,
    );
    await readProbe(place.store, large);
    return 'an object of 18 MiB, interrupted and continued';
  });
  yield await runStep('presign', () => followLink(place, small, chunk));
  yield await runStep('delete', () => removeAll(place.store, written));
}

/** Ends a step that has nothing to do. */
class StepSkipped extends Error {}

async function runStep(step: StoreStep, work: () => Promise<string>): Promise<StepReport> {
  const startedMs = performance.now();
  const report = (outcome: StepReport['outcome'], note: string): StepReport => {
    return { step, outcome, tookMs: performance.now() - startedMs, note };
  };
  try {
    return report('ok', await work());
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return report(error instanceof StepSkipped ? 'skipped' : 'failed', note);
  }
}

async function writeProbe(
  store: BlobStore,
  content: { readonly chunk: Buffer; readonly chunks: number; readonly interruptedAt?: number },
  written: ObjectKey[],
): Promise<Probe> {
  const key = store.newKey();
  written.push(key);
  const hash = createHash('sha256');
  let from: DurableState = { offsetBytes: 0 };
  let writer = await store.write(key, from);
  for (let index = 0; index < content.chunks; index += 1) {
    if (index === content.interruptedAt) {
      from = await writer.suspend();
      writer = await store.write(key, from);
    }
    hash.update(content.chunk);
    await writer.write(content.chunk);
  }
  const digest = `sha256:${hash.digest('hex')}` as Digest;
  const sizeBytes = writer.offsetBytes;
  const completed = await writer.complete({ digest, sizeBytes, createdAt: new Date().toISOString() });
  written.push(completed.key, ...(completed.residue === undefined ? [] : [completed.residue]));
  return { objectKey: completed.key, digest, sizeBytes };
}

async function readProbe(store: BlobStore, probe: Probe | undefined): Promise<string> {
  await readVerified(store, needed(probe), async () => undefined);
  return 'every byte as it was written';
}

async function readPart(store: BlobStore, probe: Probe | undefined, chunk: Buffer): Promise<string> {
  const found: Buffer[] = [];
  await store.read(needed(probe).objectKey, RANGE, async (bytes) => {
    found.push(Buffer.from(bytes));
  });
  const isRight = Buffer.concat(found).equals(chunk.subarray(RANGE.start, RANGE.end + 1));
  if (!isRight) throw new Error('the store sent other bytes than those of the range');
  return `bytes ${RANGE.start} to ${RANGE.end}`;
}

async function followLink({ sign, name }: ObjectPlace, probe: Probe | undefined, chunk: Buffer): Promise<string> {
  if (!sign) throw new StepSkipped(`the driver ${name} has no links`);
  const url = new URL(await sign(needed(probe).objectKey, LINK));
  const answer = await fetch(url, { redirect: 'error' }).catch((cause: unknown) => {
    const message = `a client that is redirected to ${url.origin} cannot reach it from here; check ENTREPOT_STORAGE_PUBLIC_ENDPOINT`;
    throw new Error(message, { cause });
  });
  if (answer.status !== 200) throw new Error(`${url.origin} answered a signed URL with ${answer.status}`);
  const isPinned = answer.headers.get('content-type') === LINK.contentType;
  const isRight = Buffer.from(await answer.arrayBuffer()).equals(chunk);
  if (!isPinned || !isRight) throw new Error(`${url.origin} answered a signed URL with other bytes, or another type`);
  return `a download from ${url.origin}`;
}

async function removeAll(store: BlobStore, written: readonly ObjectKey[]): Promise<string> {
  for (const key of written.toReversed()) await store.remove(key);
  for (const key of written) {
    if ((await store.size(key)) !== undefined) throw new Error('an object that was removed is still there');
  }
  return 'everything that was written';
}

function needed(probe: Probe | undefined): Probe {
  if (probe === undefined) throw new StepSkipped('needs an object to read');
  return probe;
}
