const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopSignals {
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly stopped: Promise<void>;
  /** Throws `StartStopped` once a signal came, for use between the steps of a start. */
  throwIfStopped(): void;
  ignore(): void;
}

/** A signal came while the start was still under way. */
export class StartStopped extends Error {
  override readonly name = 'StartStopped';
}

/** Listens for the signals that stop the process in good order; `force` is called at the second one. */
export function watchStopSignals(force: () => void): StopSignals {
  let count = 0;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const onSignal = () => {
    count += 1;
    if (count === 1) resolve();
    else force();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    stopped,
    throwIfStopped: () => {
      if (count > 0) throw new StartStopped('stopped before it was ready');
    },
    ignore: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    },
  };
}
