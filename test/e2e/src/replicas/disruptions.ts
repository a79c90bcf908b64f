import { setTimeout as delay } from 'node:timers/promises';
import type { Entrepot } from '@entrepot/testkit/entrepot';

/** One process that is ended and started again. */
export interface Disruption {
  readonly service: 'registry' | 'auth' | 'jobrunner';
  /** Which process of that service. */
  readonly index: number;
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly downMs: number;
  /** How long everything runs before the next one. */
  readonly calmMs: number;
}

/** How many processes there are of each service. */
type Counts = Readonly<Record<Disruption['service'], number>>;

const LONGEST_DOWN_MS = 2_000;
const SHORTEST_CALM_MS = 500;
const LONGEST_CALM_MS = 2_500;

/**
 * The schedule of a seed, the same each time: in each round every process once, in an order and by a signal that
 * changes with the round, so that after two rounds each has met both signals.
 */
export function planDisruptions(seed: number, counts: Counts, roundCount: number): readonly Disruption[] {
  const random = randomOf(seed);
  const processes = Object.entries(counts).flatMap(([service, count]) =>
    Array.from({ length: count }, (_, index) => ({ service: service as Disruption['service'], index })),
  );
  return Array.from({ length: roundCount }, (_, round) =>
    shuffle(processes, random).map(({ service, index }) => ({
      service,
      index,
      signal: (index + round) % 2 === 0 ? ('SIGKILL' as const) : ('SIGTERM' as const),
      downMs: Math.floor(random() * LONGEST_DOWN_MS),
      calmMs: SHORTEST_CALM_MS + Math.floor(random() * (LONGEST_CALM_MS - SHORTEST_CALM_MS)),
    })),
  ).flat();
}

/** Ends the process as the disruption says, and starts it again. Returns a line for what went wrong. */
export async function disrupt(target: Entrepot, disruption: Disruption): Promise<string | undefined> {
  const { service, index, signal, downMs, calmMs } = disruption;
  const code = signal === 'SIGKILL' ? await target.kill() : await target.stop();
  await delay(downMs);
  await target.restart();
  await delay(calmMs);
  return signal === 'SIGTERM' && code !== 0 ? `${service} ${index} ended with ${code} after SIGTERM` : undefined;
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
