import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answers, MessageFromWorker, MessageToWorker, Question } from './fleet-messages.js';

/** A question that a worker has not answered for so long is given up. */
const ANSWER_TIMEOUT_MS = 4000;
/** A worker that was silent for so long counts as not ready. */
const SILENCE_MS = 5000;

/** A worker ended before it accepted connections; the message says why, in its own words where it had any. */
export class WorkerRefused extends Error {
  override readonly name = 'WorkerRefused';
  readonly exitCode: number;

  constructor(text: string, exitCode: number) {
    super(text);
    this.exitCode = exitCode;
  }
}

/** How a worker ended. */
export interface WorkerEnding {
  readonly code: number | null;
  readonly signal: string | null;
  /** Present where it ended before it accepted connections. */
  readonly refusal: WorkerRefused | undefined;
}

/** A worker process as its primary sees it. */
export interface FleetWorker {
  readonly id: number;
  readonly pid: number | undefined;
  /** Whether another one takes its place when it ends. */
  isWanted: boolean;
  /** Resolves with the origin of the main port once it accepts connections. Rejects with `WorkerRefused`. */
  readonly listening: Promise<string>;
  /** Resolves when it says for the first time that it is ready. */
  readonly ready: Promise<void>;
  readonly ended: Promise<WorkerEnding>;
  readonly hasListened: boolean;
  readonly isReady: boolean;
  readonly lifeMs: number;
  /** For how long nothing was heard of it since it accepts connections. */
  readonly silentMs: number;
  /** The newest measurements that are known. */
  readonly metrics: Answers['metrics'];
  tell(message: MessageToWorker): void;
  /** Undefined where it does not answer in time. */
  ask<Asked extends Question>(question: Asked): Promise<Answers[Asked] | undefined>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts this program once more as a worker. `onChange`: it began to listen, or its readiness may have changed. */
export function forkWorker(onChange: () => void): FleetWorker {
  const worker = cluster.fork();
  const startedMs = performance.now();
  const listening = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<WorkerEnding>();
  const pending = new Map<number, (value: Answers[Question]) => void>();
  const state = { hasListened: false, isReady: false, heardMs: startedMs, questions: 0 };
  let metrics: Answers['metrics'] = [];
  let refusal: WorkerRefused | undefined;
  listening.promise.catch(() => undefined);

  worker.on('message', (message: MessageFromWorker) => {
    state.heardMs = performance.now();
    switch (message.kind) {
      case 'listening':
        state.hasListened = true;
        listening.resolve(message.origin);
        return onChange();
      case 'state':
        if (message.isReady) ready.resolve();
        if (message.isReady === state.isReady) return undefined;
        state.isReady = message.isReady;
        return onChange();
      case 'answer':
        return pending.get(message.id)?.(message.value);
      case 'refused':
        refusal = new WorkerRefused(message.text, message.exitCode);
        return undefined;
      case 'farewell':
        metrics = message.metrics;
        return undefined;
    }
  });
  const onEnded = (code: number | null, signal: string | null) => {
    state.isReady = false;
    if (!state.hasListened) refusal ??= describeEarlyEnd(code, signal);
    if (refusal !== undefined) listening.reject(refusal);
    ended.resolve({ code, signal, refusal });
  };
  worker.once('exit', onEnded);
  worker.on('error', () => {
    // Without a process there is no exit. Otherwise it is about a message to a worker that has just died, and is lost with it.
    if (worker.process.pid === undefined) onEnded(null, null);
  });

  const silentMs = () => (state.hasListened ? performance.now() - state.heardMs : 0);
  return {
    id: worker.id,
    pid: worker.process.pid,
    isWanted: true,
    listening: listening.promise,
    ready: ready.promise,
    ended: ended.promise,
    get hasListened() {
      return state.hasListened;
    },
    get isReady() {
      return state.isReady && silentMs() < SILENCE_MS;
    },
    get lifeMs() {
      return performance.now() - startedMs;
    },
    get silentMs() {
      return silentMs();
    },
    get metrics() {
      return metrics;
    },
    tell(message) {
      if (worker.isConnected()) worker.send(message);
    },
    async ask<Asked extends Question>(question: Asked) {
      if (!state.hasListened || !worker.isConnected()) return undefined;
      state.questions += 1;
      const id = state.questions;
      const answered = new Promise<Answers[Question]>((resolve) => void pending.set(id, resolve));
      worker.send({ kind: 'ask', id, question } satisfies MessageToWorker);
      const timeout = new AbortController();
      const none = delay(ANSWER_TIMEOUT_MS, undefined, { signal: timeout.signal });
      const value = (await Promise.race([answered, none, ended.promise.then(() => undefined)])) as
        Answers[Asked] | undefined;
      timeout.abort();
      pending.delete(id);
      if (question === 'metrics' && value !== undefined) metrics = value as Answers['metrics'];
      return value;
    },
    kill: (signal) => void worker.process.kill(signal),
  };
}

function describeEarlyEnd(code: number | null, signal: string | null): WorkerRefused {
  return new WorkerRefused(`a worker ended at its start (${signal ?? `exit code ${code}`})`, code ?? 1);
}
