import { inspectWork, type WorkFacts, type DatabasePool } from '@entrepot/metadata';
import type { Findings } from './finding.js';

const MINUTE = 60;
const LATE_SECONDS = 15 * MINUTE;
const LATE_RECORD_SECONDS = 2 * MINUTE;
/** More objects than this wait for their removal for longer than an hour. */
const MANY_OBJECTS = 1_000;

/** Work in the background: who does it, and what waits for too long. */
export async function checkWork(pool: DatabasePool, findings: Findings): Promise<void> {
  const facts = await inspectWork(pool);
  checkWorkers(facts, findings);
  checkBacklog(facts, findings);
  checkQuarantine(facts, findings);
}

function checkWorkers(
  { workers, waitingJobSeconds, deadJobKinds, kindsTurnedOff }: WorkFacts,
  findings: Findings,
): void {
  if (workers === 0) {
    findings.warn(
      'no jobrunner is alive: nothing is collected, and no job runs',
      "run 'entrepot start' or 'entrepot serve jobrunner'",
    );
  } else {
    findings.ok(`${workers} ${workers === 1 ? 'jobrunner is' : 'jobrunners are'} alive`);
    if (waitingJobSeconds > LATE_SECONDS) {
      findings.warn(
        `a job has waited for ${Math.floor(waitingJobSeconds / MINUTE)} minutes`,
        "see 'entrepot job list'; more jobrunners do more at once",
      );
    }
  }
  for (const kind of deadJobKinds) {
    findings.warn(
      `${kind} failed when it last ran by itself`,
      `see 'entrepot job list --kind ${kind}' and 'entrepot job logs'`,
    );
  }
  for (const kind of kindsTurnedOff) {
    findings.warn(`${kind} does not run by itself`, `'entrepot schedule set ${kind} default' lets it`);
  }
}

function checkBacklog(
  { overdueReviewSeconds, overdueRemovals, unrecordedSeconds }: WorkFacts,
  findings: Findings,
): void {
  if (overdueReviewSeconds > LATE_SECONDS) {
    findings.warn(
      `reviews are overdue by ${Math.floor(overdueReviewSeconds / MINUTE)} minutes: storage is not given back`,
      "see 'entrepot job list', and whether a jobrunner is alive",
    );
  } else findings.ok('reviews are done as they become due');
  if (overdueRemovals > MANY_OBJECTS) {
    findings.warn(
      `${overdueRemovals} objects should have been removed an hour ago`,
      'see the logs of the jobrunner; raise ENTREPOT_GC_REMOVAL_RATE, or see whether the store refuses removals',
    );
  }
  if (unrecordedSeconds > LATE_RECORD_SECONDS) {
    findings.warn(
      `changes of the last ${Math.floor(unrecordedSeconds / MINUTE)} minutes are not noted beside the objects`,
      'a rebuild would lack them; see the logs of the jobrunner',
    );
  }
}

function checkQuarantine({ quarantined: { blobs, examples } }: WorkFacts, findings: Findings): void {
  if (blobs === 0) {
    findings.ok('no blob is in quarantine');
    return;
  }
  const more = blobs > examples.length ? `, and ${blobs - examples.length} more` : '';
  findings.fail(
    `${blobs} ${blobs === 1 ? 'blob is' : 'blobs are'} in quarantine: ${examples.join(', ')}${more}`,
    "push the images again, or restore the objects and run 'entrepot job run scrub'; 'entrepot fsck' names all",
  );
}
