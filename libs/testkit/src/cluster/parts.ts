import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startEntrepot, type Entrepot } from '../entrepot.js';

/** Takes what ends a part that was just started. */
export type OnEnd = (end: () => Promise<unknown>) => void;

/** Starts parts one after another; `remove` ends them backwards. If one does not start, those before it are ended. */
export async function startParts<Parts>(
  start: (onEnd: OnEnd) => Promise<Parts>,
): Promise<Parts & { remove(): Promise<void> }> {
  const ends: (() => Promise<unknown>)[] = [];
  const remove = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    return { ...(await start((end) => ends.push(end))), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A directory whose name begins so, which is deleted at the end with all that it holds. */
export async function openDirectory(parent: string, prefix: string, onEnd: OnEnd): Promise<string> {
  const directory = await realpath(await mkdtemp(join(parent, prefix)));
  onEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  // Root's Postgres runs as another user and has to pass through.
  await chmod(directory, 0o711);
  return directory;
}

/** Starts services as processes of their own, so many of one at a time. */
export function serviceStarter(
  serve: readonly string[],
  settings: Readonly<Record<string, string>>,
  onEnd: OnEnd,
): (service: string, count?: number) => Promise<Entrepot[]> {
  const start = async (service: string) => {
    const started = await startEntrepot({ command: [...serve, service], settings });
    onEnd(started.remove);
    return started;
  };
  return (service, count = 1) => Promise.all(Array.from({ length: count }, () => start(service)));
}
