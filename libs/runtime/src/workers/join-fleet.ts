import cluster from 'node:cluster';
import type { Answers, MessageFromWorker, MessageToWorker, Question } from './fleet-messages.js';
import { STATE_INTERVAL_MS } from './fleet-messages.js';

/** An init system may send SIGTERM to primary and workers alike; then the primary's word is the one that counts. */
const SIGTERM_DELAY_MS = 500;

/** What a worker tells about itself. */
export interface FleetMember {
  /** What clients reach the main port by. */
  readonly origin: string;
  isReady(): boolean;
  readonly answers: { readonly [Asked in Question]: () => Promise<Answers[Asked]> };
}

/** A worker's way to its primary. */
export interface FleetLink {
  /** Number of this worker; a replacement has one of its own. */
  readonly worker: number;
  /** Resolves when this worker is to end, with the reason: others go on, or the whole service ends. */
  readonly leaving: Promise<'leave' | 'stop'>;
  /** Resolves when the whole service is to end. */
  readonly stopping: Promise<void>;
  /** Whether enough workers are ready for the service to be. */
  isFleetReady(): boolean;
  /** Says that this worker accepts connections; from then on it answers the primary. */
  enter(member: FleetMember): void;
  /** Says why this worker cannot start, and ends it with that code. */
  refuse(text: string, exitCode: number): Promise<never>;
  /** Leaves the last measurements behind and ends the process. */
  exit(metrics: Answers['metrics']): Promise<never>;
}

/**
 * Joins the service that this process is a worker of. A SIGTERM to the worker alone means: leave, others go on. SIGINT, which a
 * Ctrl-C sends to primary and workers alike, is left to the primary. When the primary dies, Node ends the worker.
 */
export function joinFleet(): FleetLink {
  const leaving = Promise.withResolvers<'leave' | 'stop'>();
  const stopping = Promise.withResolvers<void>();
  let isFleetReady = false;
  let member: FleetMember | undefined;
  process.on('message', (message: MessageToWorker) => {
    if (message.kind === 'fleet') isFleetReady = message.isReady;
    else if (message.kind === 'ask') void answer(message, member);
    else leaving.resolve(message.kind);
    if (message.kind === 'stop') stopping.resolve();
  });
  process.on('SIGTERM', () => setTimeout(() => leaving.resolve('leave'), SIGTERM_DELAY_MS).unref());
  process.on('SIGINT', () => undefined);
  return {
    worker: cluster.worker?.id ?? 0,
    leaving: leaving.promise,
    stopping: stopping.promise,
    isFleetReady: () => isFleetReady,
    enter(entering) {
      member = entering;
      void tell({ kind: 'listening', origin: entering.origin });
      const tellState = () => void tell({ kind: 'state', isReady: entering.isReady() });
      tellState();
      setInterval(tellState, STATE_INTERVAL_MS).unref();
    },
    async refuse(text, exitCode) {
      await tell({ kind: 'refused', text, exitCode });
      return process.exit(exitCode);
    },
    async exit(metrics) {
      await tell({ kind: 'farewell', metrics });
      return process.exit(0);
    },
  };
}

/** An answer that cannot be given is missed by the primary. */
async function answer(
  { id, question }: { readonly id: number; readonly question: Question },
  member: FleetMember | undefined,
): Promise<void> {
  const value = await member?.answers[question]().catch(() => undefined);
  if (value !== undefined) await tell({ kind: 'answer', id, value });
}

/** Resolves once the message is on its way; a primary that is gone hears nothing. */
function tell(message: MessageFromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve());
    else resolve();
  });
}
