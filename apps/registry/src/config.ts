import { loginSection, tokenSection } from '@entrepot/access';
import { storageConfig } from '@entrepot/blob-store';
import { contentSection, gcSection } from '@entrepot/content';
import { databaseSection } from '@entrepot/metadata';
import { httpSection, section, type ConfigOf } from '@entrepot/runtime';

/** Settings that the data plane reads, beside those of every service. */
export const registrySections = [
  httpSection,
  databaseSection,
  section('storage', storageConfig),
  contentSection,
  gcSection,
  tokenSection,
  loginSection,
] as const;

export type RegistryConfig = ConfigOf<typeof registrySections>;
