import { ObjectShort } from '@entrepot/content';
import type { ByteRange } from '@entrepot/content';
import type { BufferPool } from './buffer-pool.js';
import { readSome } from './files.js';

/** Ranges up to here are read at once, into a buffer of their own. */
const SMALL_BYTES = 64 * 1024;

type Sink = (chunk: Uint8Array) => Promise<void>;

/** An open file to read from. */
export interface RangeSource {
  readonly file: number;
  readonly pool: BufferPool;
  /** Turns a failed read into what the caller shall see; what `sink` rejects with is handed on as it is. */
  readonly toFault: (error: unknown) => unknown;
}

/** Feeds a range of an open file to `sink`; the next chunk is read while `sink` is busy with the one before. */
export async function readRange(source: RangeSource, range: ByteRange, sink: Sink): Promise<void> {
  const sizeBytes = range.end + 1 - range.start;
  if (sizeBytes <= 0) return;
  if (sizeBytes <= SMALL_BYTES) return sink(await readWhole(source, range));
  const buffers = [source.pool.lend(), source.pool.lend()] as const;
  try {
    await alternate(source, range, { buffers, sink });
  } catch (error) {
    // A sink that gave up may still hold its chunk, so these buffers serve nobody else.
    for (const buffer of buffers) source.pool.forget(buffer);
    throw error;
  }
  for (const buffer of buffers) source.pool.giveBack(buffer);
}

async function readWhole(source: RangeSource, range: ByteRange): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(range.end + 1 - range.start);
  let filled = 0;
  while (filled < buffer.length) {
    filled += (await readChunk(source, buffer.subarray(filled), range.start + filled)).length;
  }
  return buffer;
}

async function alternate(
  source: RangeSource,
  range: ByteRange,
  through: { buffers: readonly [Buffer, Buffer]; sink: Sink },
): Promise<void> {
  let [current, other] = through.buffers;
  let position = range.start;
  const readNext = (): Promise<Uint8Array> =>
    readChunk(source, current.subarray(0, Math.min(current.length, range.end + 1 - position)), position);
  let reading = readNext();
  for (;;) {
    const chunk = await reading;
    position += chunk.length;
    if (position > range.end) return through.sink(chunk);
    [current, other] = [other, current];
    reading = readNext();
    await settleBoth(() => through.sink(chunk), reading);
  }
}

/** Waits for both, so that nothing is under way in a buffer or a file that is let go; the sink's reason comes first. */
async function settleBoth(sink: () => Promise<void>, reading: Promise<unknown>): Promise<void> {
  const sinking = (async () => sink())();
  const [sunk, read] = await Promise.allSettled([sinking, reading]);
  if (sunk.status === 'rejected') throw sunk.reason;
  if (read.status === 'rejected') throw read.reason;
}

async function readChunk(source: RangeSource, buffer: Uint8Array, position: number): Promise<Uint8Array> {
  let count: number;
  try {
    count = await readSome(source.file, buffer, position);
  } catch (error) {
    throw source.toFault(error);
  }
  if (count > 0) return buffer.subarray(0, count);
  throw new ObjectShort(`an object ends at ${position} bytes, before the range that was asked for`);
}
