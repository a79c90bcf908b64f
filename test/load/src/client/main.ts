/** The client process: takes one job at a time from its parent and sends back what it came to. */
import type { Job, JobOutcome } from './jobs.js';
import { runJob } from './run-job.js';

process.on('message', (job: Job) => {
  runJob(job).then(
    (result) => answer({ result }),
    (cause: unknown) => answer({ failure: cause instanceof Error ? cause.message : String(cause) }),
  );
});
process.on('disconnect', () => process.exit());

function answer(outcome: JobOutcome): void {
  process.send?.(outcome);
}
