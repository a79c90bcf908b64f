import { storageConfig } from '@entrepot/blob-store';
import { gcSection, uploadsSection } from '@entrepot/content';
import { jobsSection } from '@entrepot/jobs';
import { databaseSection } from '@entrepot/metadata';
import { httpSection, redisSection, section, type ConfigOf } from '@entrepot/runtime';
import { grpcSection } from './grpc/grpc-section.js';

export { grpcSection };

/** Connections for the records of jobs: a kind that uses all others does not keep its worker from saying that it lives. */
export const JOB_CONNECTIONS = 2;

/** Settings that the jobrunner reads, beside those of every service. */
export const jobrunnerSections = [
  httpSection,
  databaseSection,
  redisSection,
  section('storage', storageConfig),
  uploadsSection,
  gcSection,
  jobsSection,
  grpcSection,
] as const;

export type JobrunnerConfig = ConfigOf<typeof jobrunnerSections>;
