import type { ServiceStarter } from '@entrepot/runtime';
import type { StandaloneConfig } from '../standalone/settings.js';

/** A service that is to run, and its settings. */
export interface Served {
  readonly name: 'registry' | 'auth' | 'jobrunner';
  readonly start: ServiceStarter<StandaloneConfig>;
  readonly config: StandaloneConfig;
  /** Where the service sends its transactions. */
  readonly databaseUrl: string;
  /** The same Postgres past a pooler. */
  readonly directDatabaseUrl: string;
}
