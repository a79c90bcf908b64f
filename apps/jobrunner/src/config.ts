import { storageConfig } from '@entrepot/blob-store';
import { gcSection, uploadsSection } from '@entrepot/content';
import { databaseSection } from '@entrepot/metadata';
import { httpSection, redisSection, section, type ConfigOf } from '@entrepot/runtime';

/** Settings that the jobrunner reads, beside those of every service. */
export const jobrunnerSections = [
  httpSection,
  databaseSection,
  redisSection,
  section('storage', storageConfig),
  uploadsSection,
  gcSection,
] as const;

export type JobrunnerConfig = ConfigOf<typeof jobrunnerSections>;
