import type { JobProgress, JobRun } from '@entrepot/jobs';

/** Progress is a write of its own. */
const NOTE_INTERVAL_MS = 1_000;

/** Notes progress at most once a second. A run that takes over does again what was not noted, which changes nothing. */
export function noteNowAndThen<Done>(
  job: JobRun,
  progressOf: (done: Done) => JobProgress,
): (done: Done) => Promise<void> {
  let notedAtMs = 0;
  return async (done) => {
    if (performance.now() - notedAtMs < NOTE_INTERVAL_MS) return;
    notedAtMs = performance.now();
    await job.note(progressOf(done));
  };
}
