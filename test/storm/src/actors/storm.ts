import type { Content } from '@entrepot/testkit/images';
import type { Random } from '@entrepot/testkit/random';
import type { Group } from '../model/group.js';
import type { Answer, Exchange, StormClient } from '../world/client.js';
import type { Undo } from '../world/undo.js';

/** How often something is chosen of which more can come. */
const PREFERENCE = 0.8;

/** Counts by name, as the report prints them. */
export type Tally = Map<string, number>;

/** What all actors of a storm share. */
export interface Storm {
  readonly random: Random;
  readonly client: StormClient;
  /** An account without rights. */
  readonly stranger: StormClient;
  readonly undo: Undo;
  readonly blobs: readonly Content[];
  readonly groups: readonly Group[];
  /** Repositories that everybody mounts from and uploads to. */
  readonly repositories: readonly string[];
  /** What a HEAD, mount or upload says holds until the manifest comes. */
  readonly isPromised: boolean;
  readonly tally: Tally;
  /** False once enough was done. */
  goesOn(): boolean;
}

export function count(storm: Storm, name: string): void {
  storm.tally.set(name, (storm.tally.get(name) ?? 0) + 1);
}

/** Sends a request of an actor and counts what came of it. */
export async function act(storm: Storm, what: string, exchange: Exchange): Promise<Answer> {
  const answer = await storm.client.send(exchange);
  count(storm, `${what} ${answer.status}`);
  return answer;
}

/** Mostly one of the preferred, where there are any. */
export function prefer<T>({ random }: Storm, preferred: Iterable<T>, all: readonly T[]): T {
  const choices = random.isLikely(PREFERENCE) ? [...preferred] : [];
  return random.pick((choices.length > 0 ? choices : all) as [T, ...T[]]);
}
