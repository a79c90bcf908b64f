export { jobrunnerSections } from './config.js';
export type { JobrunnerConfig } from './config.js';
export { startJobs } from './jobs/start-jobs.js';
export type { JobsRoom, StartedJobs } from './jobs/start-jobs.js';
export { startJobrunner } from './start-jobrunner.js';
