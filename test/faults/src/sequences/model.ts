import type { Digest } from '@entrepot/oci';
import { digestOf } from '@entrepot/testkit/images';

/** Bytes that a request wants to add at an offset, and what became of it. */
export interface Appending {
  readonly offsetBytes: number;
  readonly body: Buffer;
  /** `all`: acknowledged; `some`: it failed after it may have written; `none`: refused; `unknown`: still under way, or dead. */
  effect: 'all' | 'some' | 'none' | 'unknown';
}

/**
 * What an upload may hold by all that is known from outside: every content that some order of the requests explains. More
 * than one is possible only where requests failed in the middle at the same offset.
 */
export class UploadModel {
  #contents: readonly Buffer[] = [Buffer.alloc(0)];

  get contents(): readonly Buffer[] {
    return this.#contents;
  }

  get digests(): Digest[] {
    return this.#contents.map((content) => digestOf(content) as Digest);
  }

  /**
   * Takes over what requests that ran at the same time left, now that the upload stands at `offsetBytes`. False where no
   * order of them explains it: bytes were lost, mixed, or kept of a request that was refused.
   */
  settle(appendings: readonly Appending[], offsetBytes: number): boolean {
    const found = new Map<string, Buffer>();
    for (const content of this.#contents) {
      for (const end of explain(content, appendings, offsetBytes)) found.set(digestOf(end), end);
    }
    this.#contents = [...found.values()];
    return found.size > 0;
  }

  /** What the content would be with these bytes behind it, if that is where they belong. */
  extended({ offsetBytes, body }: Pick<Appending, 'offsetBytes' | 'body'>): Buffer[] {
    return this.#contents
      .filter((content) => content.length === offsetBytes)
      .map((content) => Buffer.concat([content, body]));
  }
}

/** Every content of the given length that begins with `content` and follows from the appendings in some order. */
function explain(content: Buffer, appendings: readonly Appending[], offsetBytes: number): Buffer[] {
  const ends: Buffer[] = [];
  const owed = appendings.some(({ effect }) => effect === 'all');
  if (content.length === offsetBytes && !owed) ends.push(content);
  for (const appending of appendings) {
    if (appending.effect === 'none') continue;
    const others = appendings.filter((other) => other !== appending);
    if (isWithin(content, appending)) ends.push(...explain(content, others, offsetBytes));
    for (const next of continuations(content, appending, stopsOf(others, offsetBytes))) {
      ends.push(...explain(next, others, offsetBytes));
    }
  }
  return ends;
}

/** It was seen in full before it was heard of. */
function isWithin(content: Buffer, { offsetBytes, body }: Appending): boolean {
  return content.subarray(offsetBytes, offsetBytes + body.length).equals(body);
}

/** Offsets at which a request that fails can only have stopped: where another one goes on, or where all ended. */
function stopsOf(others: readonly Appending[], offsetBytes: number): number[] {
  return [...others.map((other) => other.offsetBytes), offsetBytes];
}

function continuations(content: Buffer, { offsetBytes, body, effect }: Appending, stops: readonly number[]): Buffer[] {
  const writtenBytes = content.length - offsetBytes;
  if (writtenBytes < 0 || writtenBytes > body.length) return [];
  // It may have written a part of its bytes already when the upload was looked at before.
  if (!content.subarray(offsetBytes).equals(body.subarray(0, writtenBytes))) return [];
  const whole = offsetBytes + body.length;
  const lengths = effect === 'all' ? [whole] : new Set([whole, ...stops]);
  const start = content.subarray(0, offsetBytes);
  return [...lengths]
    .filter((length) => length > content.length && length <= whole)
    .map((length) => Buffer.concat([start, body.subarray(0, length - offsetBytes)]));
}
