import type { ServiceStarter } from '@entrepot/runtime';
import type { StandaloneConfig } from '../standalone/settings.js';

/** A service that is to run, and its settings. */
export interface Served {
  readonly name: string;
  readonly start: ServiceStarter<StandaloneConfig>;
  readonly config: StandaloneConfig;
  readonly databaseUrl: string;
}
