export interface Polling {
  /** No further round starts; resolves when a running one is over. */
  stop(): Promise<void>;
}

/**
 * Repeats `work`, each round `intervalMs` after the end of the one before. A failed round is told to `onError`, and
 * the next one comes as usual. Does not keep the process alive.
 */
export function pollEvery(intervalMs: number, work: () => Promise<void>, onError: (error: unknown) => void): Polling {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isStopped = false;
  const schedule = (): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = work().catch(onError).then(schedule);
    }, intervalMs);
    timer.unref();
  };
  schedule();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
