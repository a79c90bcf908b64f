export { jobrunnerSections } from './config.js';
export type { JobrunnerConfig } from './config.js';
export { startJobrunner } from './start-jobrunner.js';
