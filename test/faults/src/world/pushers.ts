import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { buildImage } from '@entrepot/testkit/images';
import { TokenRefused } from '@entrepot/testkit/registry-client';
import type { Journal } from './journal.js';
import { pushImage, Surprise, Unavailable, UPLOAD_WAYS, type Bench } from './push.js';
import { connect, type Target } from './target.js';

const PUSHER_COUNT = 8;
const TAG_COUNT = 4;
const LARGEST_LAYER_BYTES = 192 * 1024;
const LONGEST_WAIT_MS = 1_000;

/** Layers that all pushers share, so that they meet at the same digests. */
const SHARED_LAYERS = Array.from({ length: 4 }, () => randomBytes(32 * 1024));

/** Clients that push without end. */
export interface Pushers {
  /** Tells them to end after the image under way, and waits for it. */
  stop(): Promise<void>;
  /** Resolves when all have lost the connection. */
  readonly ended: Promise<void>;
}

/**
 * Starts clients that push images one after the other, in all ways there are, some into a repository of their own and
 * some into a shared one. One that loses its connection ends; one that is told to come back later does.
 */
export function startPushers(target: Target, journal: Journal): Pushers {
  const stopping = new AbortController();
  const push = async (pusher: number) => {
    const client = connect(target);
    const repository = pusher % 2 === 0 ? 'admin/shared' : `admin/pusher-${pusher}`;
    try {
      for (let round = 0; !stopping.signal.aborted; round += 1)
        await pushOne({ client, journal, repository }, pusher, round);
    } catch (error) {
      if (error instanceof Surprise) journal.surprises.push(error.message);
      else journal.losses.push(String(error));
    } finally {
      client.close();
    }
  };
  const ended = Promise.all(Array.from({ length: PUSHER_COUNT }, (_, pusher) => push(pusher))).then(() => {});
  return {
    ended,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

async function pushOne(bench: Bench, pusher: number, round: number): Promise<void> {
  const own = randomBytes(randomInt(1, LARGEST_LAYER_BYTES));
  const shared = SHARED_LAYERS[randomInt(SHARED_LAYERS.length)] ?? own;
  const image = buildImage({ layers: [own, shared] });
  const way = UPLOAD_WAYS[(pusher + round) % UPLOAD_WAYS.length] ?? 'whole';
  try {
    await pushImage(bench, { image, tag: `p${pusher}-${round % TAG_COUNT}`, way });
  } catch (error) {
    await delay(Math.min(retryMs(error), LONGEST_WAIT_MS));
  }
}

/** How long to wait after an answer that said to; throws any other error on. */
function retryMs(error: unknown): number {
  if (error instanceof Unavailable) return error.retryAfterMs;
  if (error instanceof TokenRefused && error.status === 503 && error.retryAfter !== null) {
    return Number(error.retryAfter) * 1000;
  }
  throw error;
}
