export type {
  CancelJobRequest,
  GetLogRequest,
  JobIdMessage,
  JobMessage,
  ListJobsRequest,
  LogLineMessage,
  RunJobRequest,
  ScheduleMessage,
  SetScheduleRequest,
  ValueMessage,
  WorkerMessage,
} from './jobs/messages.js';
export { JOBS_PACKAGE, JOBS_PROTO, openJobsClient } from './jobs/open-jobs-client.js';
export type { JobsClient, JobsClientOptions } from './jobs/open-jobs-client.js';
export { PROTO_OPTIONS } from './wire/proto-files.js';
export { fromTimestamp, toTimestamp } from './wire/timestamp.js';
export type { Timestamp } from './wire/timestamp.js';
