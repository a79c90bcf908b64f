import { storageConfig } from '@entrepot/blob-store';
import { gcSection, uploadsSection } from '@entrepot/content';
import { jobsSection } from '@entrepot/jobs';
import { databaseSection } from '@entrepot/metadata';
import { httpSection, redisSection, section, type ConfigOf } from '@entrepot/runtime';
import { grpcSection } from './grpc/grpc-section.js';

export { grpcSection };

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
