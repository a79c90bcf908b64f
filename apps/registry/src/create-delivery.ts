import { BlockList } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { JoinedBlobStore } from '@entrepot/blob-store';
import type { SuspectObjects } from '@entrepot/content';
import {
  clientAddress,
  isFromProxy,
  isInNetworks,
  parseNetworks,
  type HttpConfig,
  type Logger,
  type Metrics,
} from '@entrepot/runtime';
import type { DeliveryConfig } from './delivery-section.js';
import type { Delivery, ReadFailure } from './http/deliver-blob.js';

/** How long an answer waits for what is found out about its object: a look at its size, and a row. */
const MAX_SUSPECT_MS = 2_000;

interface Surroundings {
  readonly suspects: Pick<SuspectObjects, 'measure' | 'reread'>;
  readonly http: Pick<HttpConfig, 'trustedProxies'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The ways by which blobs leave, as the settings have it. */
export function createDelivery(store: JoinedBlobStore, config: DeliveryConfig, around: Surroundings): Delivery {
  const { logger, metrics, suspects } = around;
  const proxies = parseNetworks(around.http.trustedProxies) ?? new BlockList();
  const networks = parseNetworks(config.redirectNetworks) ?? new BlockList();
  const failures = metrics.counter<'reason'>(
    'blob_read_failures_total',
    'Blobs that could not be served, or not to their end, by a fault of the store.',
    ['reason'],
  );
  for (const reason of ['missing', 'short', 'corrupt', 'unavailable'] satisfies ReadFailure[])
    failures.inc({ reason }, 0);
  if (config.accelLocation !== undefined && around.http.trustedProxies.length === 0) {
    logger.warn('ENTREPOT_STORAGE_ACCEL_LOCATION has no effect without ENTREPOT_HTTP_TRUSTED_PROXIES');
  }
  return {
    store,
    verifiesAll: config.verifyReads === 'always',
    linkExpirySeconds: Math.floor(config.redirectExpiry / 1000),
    mayFollowLinks: (request) => isInNetworks(clientAddress(request, proxies), networks),
    fileLocation: (request) => (isFromProxy(request, proxies) ? config.accelLocation : undefined),
    noteFailure(reason, { digest, objectKey }, error) {
      failures.inc({ reason });
      logger.error({ digest, objectKey, reason, err: error }, 'a blob could not be read from the store');
    },
    async suspect(reason, blob) {
      switch (reason) {
        case 'missing':
        case 'short':
          return Promise.race([suspects.measure(blob), delay(MAX_SUSPECT_MS, undefined, { ref: false })]);
        case 'corrupt':
          return suspects.reread(blob);
        case 'unavailable':
          return undefined;
      }
    },
  };
}
