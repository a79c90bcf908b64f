export { JobLost } from './kinds/job-kind.js';
export type { JobKind, JobProgress, JobResult, JobRun, ScheduledKind } from './kinds/job-kind.js';
export { isKindName, KINDS } from './kinds/kind-names.js';
export type { KindName } from './kinds/kind-names.js';
