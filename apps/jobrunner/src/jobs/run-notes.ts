import { JobLost, type ClaimedJob, type JobClaims, type JobProgress, type JobsConfig } from '@entrepot/jobs';
import type { Logger } from '@entrepot/runtime';

export interface NotesRoom {
  readonly claims: JobClaims;
  readonly config: Pick<JobsConfig, 'logLines'>;
  readonly logger: Logger;
  /** Told when the claim turns out to be void. */
  onLost(): void;
}

/** A claim that was confirmed so recently is not asked for again before a step. */
const CONFIRMED_MS = 2_000;
const MAX_LINE_LENGTH = 8_192;

/** What one run says and how far it is, on its way into the tables, under the claim of its job. */
export class RunNotes {
  #lines: string[] = [];
  #nextLine: number;
  #unsaved: JobProgress | undefined;
  #confirmedMs = performance.now();
  #isClosed = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly claim: ClaimedJob,
    private readonly room: NotesRoom,
  ) {
    this.#nextLine = claim.lastLine + 1;
  }

  /** A line of the kind; one that comes after the end is dropped. */
  log(line: string): void {
    if (this.#isClosed) return;
    const text = storable(line);
    this.add(text);
    this.room.logger.info(text);
  }

  /** A line of the worker itself. */
  add(line: string): void {
    this.#lines.push(line);
  }

  /** What a later run needs is written at once; mere progress with the next look, unless the claim is in doubt. */
  async note(progress: JobProgress): Promise<void> {
    this.#refuseLost();
    const { state = this.#unsaved?.state, ...rest } = progress;
    this.#unsaved = state === undefined ? rest : { ...rest, state };
    const isDoubtful = performance.now() - this.#confirmedMs > CONFIRMED_MS;
    if (progress.state !== undefined || isDoubtful) await this.save();
    this.#refuseLost();
  }

  /** The claim stood just now. */
  confirm(): void {
    this.#confirmedMs = performance.now();
  }

  /** Takes nothing more from the run: it is over, or the job is another worker's. */
  close(): void {
    this.#isClosed = true;
  }

  /** Writes down what there is, after what is being written. */
  save(): Promise<void> {
    const saved = this.#saving.then(() => this.#saveNow());
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async #saveNow(): Promise<void> {
    const progress = this.#unsaved;
    const data = this.#lines;
    this.#unsaved = undefined;
    this.#lines = [];
    try {
      if (data.length > 0) await this.#append(data);
      if (progress !== undefined) await this.#saveProgress(progress);
    } catch (error) {
      this.#lines = [...data, ...this.#lines];
      this.#unsaved ??= progress;
      throw error;
    }
  }

  #refuseLost(): void {
    if (this.#isClosed) throw new JobLost('this run of the job is over');
  }

  async #append(data: readonly string[]): Promise<void> {
    const { claims, config, onLost } = this.room;
    if (await claims.append(this.claim, { first: this.#nextLine, data }, config.logLines))
      this.#nextLine += data.length;
    else onLost();
  }

  async #saveProgress(progress: JobProgress): Promise<void> {
    if (await this.room.claims.note(this.claim, progress)) this.confirm();
    else this.room.onLost();
  }
}

/** Postgres keeps no NUL in a text, and nobody reads more of a line. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\u{fffd}').slice(0, MAX_LINE_LENGTH);
}
