import type { RequestListener } from 'node:http';
import type { MountOptions } from './http/front.js';
import type { HealthCheck } from './http/health.js';
import type { Logger } from './observe/logger.js';
import type { Metrics } from './observe/metrics.js';
import type { Bells } from './redis/bells.js';
import type { RedisLink } from './redis/redis-link.js';

/** What every service of a process shares. */
export interface ServiceResources {
  readonly databaseUrl: string;
  /** Absolute; holds the blobs where the settings name no other place. */
  readonly dataDirectory: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where the settings name a Redis; it may be away at any time. */
  readonly redis: RedisLink | undefined;
  readonly bells: Bells;
}

/** A service that is ready to be reached. */
export interface RunningService {
  readonly mounts: readonly { prefix: string; handler: RequestListener; options: MountOptions }[];
  /** What it depends on, by name, for `/health`. Services that share a dependency give it the same name. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Whether it can serve; asked by each `/readyz`. */
  isReady(): boolean;
  /** Ends its work in the background and lets go of what it holds; called once no request is left. */
  close(): Promise<void>;
}

/** Starts a service by its settings. */
export type ServiceStarter<Config> = (config: Config, resources: ServiceResources) => Promise<RunningService>;
