import { setTimeout as delay } from 'node:timers/promises';
import {
  didNothing,
  JobLost,
  refuseParameters,
  RUNNER_LINES,
  type ClaimedJob,
  type JobClaims,
  type JobEnd,
  type JobKind,
  type JobResult,
  type JobsConfig,
} from '@entrepot/jobs';
import { formatDuration } from '@entrepot/oci';
import type { Logger } from '@entrepot/runtime';
import { RunNotes, storable } from './run-notes.js';

/** What ends a run before it is done: somebody, its deadline, the end of this worker, or another worker that took it over. */
export type StopReason = 'canceled' | 'deadline' | 'shutdown' | 'lost';

/** What became of a run here. */
export type RunOutcome = 'done' | 'canceled' | 'errored' | 'given-back' | 'lost';

export interface RunRoom {
  readonly claims: JobClaims;
  readonly config: Pick<JobsConfig, 'retryDelay' | 'logLines'>;
  readonly logger: Logger;
}

/** How a kind's function ended. */
type Ended = { readonly result: JobResult } | { readonly error: unknown };

const MAX_RETRY_DELAY_MS = 3_600_000;
const MAX_TIMER_MS = 2 ** 31 - 1;
/** For how long the end of a run is tried to be recorded; after that the claim expires. */
const RECORD_TIMEOUT_MS = 30_000;
const RECORD_PAUSE_MS = 1_000;

/** The job cannot be run as it was asked for, however often it is tried. */
class ParametersRefused extends Error {
  override readonly name = 'ParametersRefused';
}

/** One claimed job: runs its kind, keeps what it says, and records its end under the claim. */
export class RunningJob {
  readonly #abort = new AbortController();
  readonly #gaveUp = Promise.withResolvers<Ended>();
  readonly #logger: Logger;
  /** What the run says. */
  readonly notes: RunNotes;
  #stop: { readonly reason: StopReason; readonly by: string | undefined } | undefined;

  constructor(
    readonly claim: ClaimedJob,
    private readonly kind: JobKind,
    private readonly room: RunRoom,
  ) {
    this.#logger = room.logger.child({ job: claim.id, kind: kind.name });
    this.notes = new RunNotes(claim, { ...room, logger: this.#logger, onLost: () => this.stop('lost') });
  }

  /** Runs to its end and records it; never rejects. */
  async run(): Promise<RunOutcome> {
    const { state, job } = this.claim;
    const how = state === undefined ? 'runs it' : 'goes on from where it was';
    this.notes.add(`${RUNNER_LINES.started}worker ${job.workerId} ${how}`);
    const timer = this.#armDeadline();
    const ended = await Promise.race([this.#attempt(), this.#gaveUp.promise]);
    clearTimeout(timer);
    this.notes.close();
    try {
      return await this.#record(ended);
    } catch (error) {
      this.#logger.error({ err: error }, 'the end of a job could not be recorded; another run of it follows');
      return 'lost';
    }
  }

  /** Asks the run to end at its next safe point; one that does not, in time, is given up. */
  stop(reason: StopReason, by?: string): void {
    if (this.#stop !== undefined && reason !== 'lost') return;
    this.#stop = { reason, by };
    if (reason === 'lost') this.notes.close();
    this.#abort.abort(new Error(`the job has to end: ${reason}`));
    const { stopTimeoutMs } = this.claim.job;
    const error = new Error(`it did not stop within ${formatDuration(stopTimeoutMs)}`);
    void delay(stopTimeoutMs, undefined, { ref: false }).then(() => this.#gaveUp.resolve({ error }));
  }

  async #attempt(): Promise<Ended> {
    const { claim, kind } = this;
    try {
      const refusal = refuseParameters(kind.name, claim.job.parameters);
      if (refusal !== undefined) throw new ParametersRefused(refusal);
      const result = await kind.run({
        jobId: claim.id,
        parameters: claim.job.parameters,
        signal: this.#abort.signal,
        state: claim.state,
        log: (line) => this.notes.log(line),
        note: (progress) => this.notes.note(progress),
      });
      return { result };
    } catch (error) {
      return { error };
    }
  }

  #armDeadline(): NodeJS.Timeout | undefined {
    const { elapsedMs, job } = this.claim;
    if (job.deadlineMs === undefined) return undefined;
    const leftMs = Math.min(Math.max(job.deadlineMs - elapsedMs, 0), MAX_TIMER_MS);
    return setTimeout(() => this.stop('deadline'), leftMs).unref();
  }

  #isStopped(reason: StopReason): boolean {
    return this.#stop?.reason === reason;
  }

  async #record(ended: Ended): Promise<RunOutcome> {
    const { claims } = this.room;
    const error = 'error' in ended ? ended.error : undefined;
    if (this.#isStopped('lost') || error instanceof JobLost) {
      this.#logger.warn('another worker has this job; this one stopped');
      return 'lost';
    }
    if (this.#isStopped('shutdown') && this.kind.mayRunTwice) {
      await untilRecorded(() => this.notes.save());
      await untilRecorded(() =>
        claims.giveBack(this.claim, `${RUNNER_LINES.shutdown}its worker stops; another one goes on`),
      );
      return 'given-back';
    }
    if ('result' in ended && this.#stop === undefined && this.claim.job.isScheduled && didNothing(ended.result)) {
      await untilRecorded(() => claims.forget(this.claim));
      return 'done';
    }
    const end = this.#endOf(ended);
    const { retryAfterMs, ...told } = end;
    if (end.status === 'errored') this.#logger.error({ ...told, err: error, retryAfterMs }, 'a job failed');
    else this.#logger.info(told, `a job is ${end.status}`);
    const words = [end.status, end.error, end.result && JSON.stringify(end.result)];
    this.notes.add(RUNNER_LINES.ended + words.filter(Boolean).join(': '));
    await untilRecorded(() => this.notes.save());
    await untilRecorded(() => claims.end(this.claim, end));
    return end.status;
  }

  #endOf(ended: Ended): JobEnd {
    const result = 'result' in ended ? ended.result : undefined;
    const cause = 'error' in ended && !this.#isAbort(ended.error) ? `: ${messageOf(ended.error)}` : '';
    switch (this.#stop?.reason) {
      case 'canceled':
        return { status: 'canceled', result, error: `canceled by ${this.#stop.by}` };
      case 'deadline': {
        const deadline = formatDuration(this.claim.job.deadlineMs ?? 0);
        return { status: 'errored', result, error: `its deadline of ${deadline} has passed${cause}` };
      }
      case 'shutdown':
      case 'lost':
      case undefined:
        if (result !== undefined) return { status: 'done', result };
        return {
          status: 'errored',
          error: cause.slice(2) || 'its worker stopped',
          retryAfterMs: this.#retryAfterMs(ended),
        };
    }
  }

  /** Whether it only says that the run was told to end. */
  #isAbort(error: unknown): boolean {
    return error === this.#abort.signal.reason || (error instanceof Error && error.name === 'AbortError');
  }

  #retryAfterMs(ended: Ended): number | undefined {
    const { retriesLeft, retriesTotal } = this.claim.job;
    const isFinal = 'error' in ended && ended.error instanceof ParametersRefused;
    if (isFinal || !this.kind.mayRunTwice) return undefined;
    return Math.min(this.room.config.retryDelay * 2 ** (retriesTotal - retriesLeft), MAX_RETRY_DELAY_MS);
  }
}

/** A database that is away for a moment does not make a job run again. */
async function untilRecorded(record: () => Promise<unknown>): Promise<void> {
  const deadlineMs = performance.now() + RECORD_TIMEOUT_MS;
  for (;;) {
    try {
      await record();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await delay(RECORD_PAUSE_MS);
    }
  }
}

function messageOf(error: unknown): string {
  return storable(error instanceof Error ? error.message : String(error));
}
