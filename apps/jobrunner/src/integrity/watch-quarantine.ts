import type { BlobWalk } from '@entrepot/content';
import type { Logger, Metrics } from '@entrepot/runtime';

const INTERVAL_MS = 15_000;

interface Surroundings {
  readonly walk: Pick<BlobWalk, 'countQuarantined'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Keeps the gauge of blobs in quarantine true, of the whole installation. Looks by an index that holds nothing else. */
export function watchQuarantine({ walk, metrics, logger }: Surroundings): { close(): Promise<void> } {
  let blobs = 0;
  metrics.gauge(
    'blobs_in_quarantine',
    'Blobs that are not served until they are pushed again, because their object is at fault.',
    () => blobs,
  );
  const look = async (): Promise<void> => {
    try {
      blobs = await walk.countQuarantined();
    } catch (error) {
      logger.debug({ err: error }, 'blobs in quarantine could not be counted; they are counted again');
    }
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, INTERVAL_MS).unref();
  return {
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}
