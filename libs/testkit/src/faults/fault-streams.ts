import { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** Passes bytes on until there were so many, then does `act` and passes nothing on any more; at the latest at the end. */
export function actAfter(afterBytes: number, act: () => void): Transform {
  let leftBytes = afterBytes;
  let hasActed = false;
  const stop = () => {
    if (!hasActed) act();
    hasActed = true;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (hasActed) return void done();
      const passed = chunk.subarray(0, leftBytes);
      leftBytes -= passed.length;
      this.push(passed);
      // What was pushed is on its way once the stream behind had a turn.
      if (leftBytes === 0) setImmediate(stop);
      // The rest is never asked for, so that whoever sends it feels that nobody reads.
      else done();
    },
    flush: () => void setImmediate(stop),
  });
}

/** Turns one bit over. */
export function flipBit(atByte: number): Transform {
  let start = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const place = atByte - start;
      start += chunk.length;
      if (place < 0 || place >= chunk.length) return void done(null, chunk);
      const flipped = Buffer.from(chunk);
      flipped[place] = (flipped[place] ?? 0) ^ 0b100;
      done(null, flipped);
    },
  });
}

/** Lets no more bytes through than that. */
export function throttle(bytesPerSecond: number): Transform {
  return new Transform({
    highWaterMark: 1,
    transform(chunk: Buffer, _encoding, done) {
      delay((chunk.length / bytesPerSecond) * 1000).then(() => done(null, chunk), done);
    },
  });
}

/** Passes only the first bytes on, and swallows the others. */
export function keepFirst(byteCount: number): Transform {
  let leftBytes = byteCount;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const kept = chunk.subarray(0, leftBytes);
      leftBytes -= kept.length;
      done(null, kept);
    },
  });
}
