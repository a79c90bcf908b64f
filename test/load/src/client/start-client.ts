import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Job, JobOutcome, JobResult } from './jobs.js';

/** The process that plays the clients, apart from this one so that its work is not counted twice. */
export interface Client {
  /** Runs one job at a time. Rejects with the first wrong answer's description. */
  run(job: Job): Promise<JobResult>;
  stop(): void;
}

export function startClient(): Client {
  const child = fork(new URL('main.js', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return {
    run: async (job) => {
      child.send(job);
      const outcome = await nextOutcome(child);
      if ('failure' in outcome) throw new Error(outcome.failure);
      return outcome.result;
    },
    stop: () => child.disconnect(),
  };
}

async function nextOutcome(child: ChildProcess): Promise<JobOutcome> {
  const given = new AbortController();
  const { signal } = given;
  try {
    const ended = once(child, 'exit', { signal }).then(() => ({ failure: 'the client process ended' }));
    const message = once(child, 'message', { signal }).then(([outcome]) => outcome as JobOutcome);
    return await Promise.race([message, ended]);
  } finally {
    given.abort();
  }
}
