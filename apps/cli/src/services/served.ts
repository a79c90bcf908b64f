import type { ServiceStarter } from '@entrepot/runtime';
import type { StandaloneConfig } from '../standalone/settings.js';

/** What `entrepot serve` can run as a process of its own. */
export const SERVICE_NAMES = ['registry', 'auth', 'jobrunner'] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A service that is to run, and its settings. */
export interface Served {
  readonly name: ServiceName;
  readonly start: ServiceStarter<StandaloneConfig>;
  readonly config: StandaloneConfig;
  /** Where the service sends its transactions. */
  readonly databaseUrl: string;
  /** The same Postgres past a pooler. */
  readonly directDatabaseUrl: string;
}
