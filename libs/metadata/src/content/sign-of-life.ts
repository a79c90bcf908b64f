import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { connectionOptions, type DatabaseSettings } from '../database/connection.js';

const RECONNECT_MS = 1_000;

/** By what other processes can tell that this one is gone. */
export interface SignOfLife {
  /** Key of an advisory lock that a session of this process holds; undefined while there is none. */
  readonly lockKey: string | undefined;
  close(): Promise<void>;
}

/** Through a pooler no session is ours: leases end by time. */
const NO_SIGN: SignOfLife = { lockKey: undefined, close: () => Promise.resolve() };

/**
 * Holds an advisory lock in a session of its own for as long as this process lives: Postgres ends a session with its
 * connection, so that a process that was killed is known to be gone at once. Whoever relies on it has to be right
 * without it too: a connection can be lost while its process lives, and a pooler that shares sessions keeps a lock for
 * longer, or drops it.
 */
export function holdSignOfLife(settings: Omit<DatabaseSettings, 'poolSize'>): SignOfLife {
  if (settings.pooler === 'transaction') return NO_SIGN;
  const closing = new AbortController();
  const { signal } = closing;
  let lockKey: string | undefined;
  const hold = async (): Promise<void> => {
    while (!signal.aborted) {
      await holdOnce(settings, signal, (key) => (lockKey = key));
      await delay(RECONNECT_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const held = hold();
  return {
    get lockKey() {
      return lockKey;
    },
    close: () => {
      closing.abort();
      return held;
    },
  };
}

/** One session, from its start to its loss or to `signal`. */
async function holdOnce(
  settings: Omit<DatabaseSettings, 'poolSize'>,
  signal: AbortSignal,
  tell: (lockKey: string | undefined) => void,
): Promise<void> {
  const client = new Client(connectionOptions({ ...settings, poolSize: 1 }));
  const lost = new Promise<void>((resolve) => client.on('error', () => resolve()).once('end', resolve));
  try {
    await client.connect();
    // A new key each time: a session that Postgres has not missed yet still holds the former one.
    const key = randomBytes(8).readBigInt64BE().toString();
    await client.query('SELECT pg_advisory_lock($1)', [key]);
    tell(key);
    await Promise.race([lost, once(signal, 'abort')]);
  } catch {
    // No sign for now: leases end by time, as they do without one.
  } finally {
    tell(undefined);
    await client.end();
  }
}
