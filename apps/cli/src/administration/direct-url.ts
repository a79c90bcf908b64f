import type { DatabaseConfig } from '@entrepot/metadata';

/**
 * The URL for migrations, administration and queues: the one past a pooler, where the settings name one. Undefined where no
 * external Postgres is named.
 */
export function directUrl({ url, directUrl: direct }: DatabaseConfig): string | undefined {
  return url === undefined ? undefined : (direct ?? url);
}
