export { jobsSection } from './config.js';
export type { JobsConfig } from './config.js';
export { JobLost } from './kinds/job-kind.js';
export type { JobKind, JobProgress, JobResult, JobRun, ScheduledKind } from './kinds/job-kind.js';
export { isKindName, KINDS } from './kinds/kind-names.js';
export type { KindName } from './kinds/kind-names.js';
export { refuseParameters } from './kinds/parameters.js';
export type {
  Claim,
  ClaimedJob,
  JobClaims,
  JobCounts,
  JobEnd,
  LostJob,
  NewWorker,
  StandingClaim,
} from './ports/job-claims.js';
export type { JobFilter, JobRecords, NewJob } from './ports/job-records.js';
export { didNothing } from './records/did-nothing.js';
export { JOB_STATUSES, parseJobStatus } from './records/job.js';
export type { Capacity, Job, JobLine, JobStatus } from './records/job.js';
export { publishJob, publishSchedule, publishWorker } from './records/publish.js';
export { isRunnerLine, RUNNER_LINES } from './records/runner-lines.js';
export { HEARTBEAT_EXPIRY_MS, HEARTBEAT_INTERVAL_MS } from './records/worker.js';
export type { WorkerRecord } from './records/worker.js';
export { nextFiring, parseSchedule, ScheduleError } from './schedule/parse-schedule.js';
export type { Schedule } from './schedule/parse-schedule.js';
export type { ScheduleRecord } from './schedule/schedule-record.js';
