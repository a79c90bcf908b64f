import type { Health } from '../http/health.js';
import type { MetricsSnapshot } from '../observe/metrics-snapshot.js';

/** What a worker can be asked, and what it answers with. */
export interface Answers {
  readonly metrics: MetricsSnapshot;
  readonly health: Health;
}

export type Question = keyof Answers;

export type MessageToWorker =
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** Whether enough workers are ready for the service to be. */
  | { readonly kind: 'fleet'; readonly isReady: boolean }
  /** Others go on: no client should notice that this one ends. */
  | { readonly kind: 'leave' }
  /** The service ends. */
  | { readonly kind: 'stop' };

export type MessageFromWorker =
  | { readonly kind: 'listening'; readonly origin: string }
  /** Sent again and again, so that a worker which hangs is noticed. */
  | { readonly kind: 'state'; readonly isReady: boolean }
  | { readonly kind: 'answer'; readonly id: number; readonly value: Answers[Question] }
  /** Why it cannot start; its last message. */
  | { readonly kind: 'refused'; readonly text: string; readonly exitCode: number }
  /** Its last measurements, when it ends in good order. */
  | { readonly kind: 'farewell'; readonly metrics: MetricsSnapshot };

export const STATE_INTERVAL_MS = 500;
