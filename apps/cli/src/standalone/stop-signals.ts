const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A Ctrl-C under `npm start` arrives twice: from the terminal, and passed on by npm. */
const ECHO_MS = 1000;

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

/** Listens for the signals that stop the process in good order; `force` is called at a later one. */
export function watchStopSignals(force: () => void): StopSignals {
  let firstMs: number | undefined;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const onSignal = () => {
    firstMs ??= performance.now();
    resolve();
    if (performance.now() - firstMs > ECHO_MS) force();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    stopped,
    throwIfStopped: () => {
      if (firstMs !== undefined) throw new StartStopped('stopped before it was ready');
    },
    ignore: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    },
  };
}
