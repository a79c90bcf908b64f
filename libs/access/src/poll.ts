export interface Polling {
  /** Something may have changed: the next round starts at once, or right after the one that runs. */
  hurry(): void;
  /** No further round starts; resolves when a running one is over. */
  stop(): Promise<void>;
}

/** Rounds that are hurried keep this distance, so that nobody who calls `hurry` all the time makes more of them. */
const MIN_GAP_MS = 20;

/**
 * Repeats `work`, each round `intervalMs` after the end of the one before, or sooner on request. A failed round is told to
 * `onError`, and the next one comes as usual. Does not keep the process alive.
 */
export function pollEvery(intervalMs: number, work: () => Promise<void>, onError: (error: unknown) => void): Polling {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isHurried = false;
  let isStopped = false;
  const schedule = (): void => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(round, isHurried ? Math.min(MIN_GAP_MS, intervalMs) : intervalMs);
    timer.unref();
  };
  const round = (): void => {
    isHurried = false;
    running = work()
      .catch(onError)
      .then(() => {
        running = undefined;
        schedule();
      });
  };
  schedule();
  return {
    hurry() {
      if (isHurried) return;
      isHurried = true;
      if (running === undefined) schedule();
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
