import type { AttemptCount, AttemptCounter } from '@entrepot/access';
import type pg from 'pg';
import { queryRows, repeatRows } from '../database/unit-of-work.js';

interface CountRow {
  readonly failures: number;
  readonly resets_in_ms: number;
}

const RESETS_IN_MS = 'extract(epoch FROM resets_at - now())::float8 * 1000 AS resets_in_ms';
const NOTHING: AttemptCount = { count: 0, resetsInMs: 0 };

/** Each failure also removes a few counts that are over, so that nobody else need clean up. */
const ADD = `
  WITH over AS (
    DELETE FROM login_failure WHERE key IN (
      SELECT key FROM login_failure WHERE resets_at <= now() AND key <> $1
      ORDER BY resets_at LIMIT 10 FOR UPDATE SKIP LOCKED))
  INSERT INTO login_failure AS f (key, failures, resets_at)
  VALUES ($1, 1, now() + $2 * interval '1 millisecond')
  ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN f.resets_at <= now() THEN 1 ELSE f.failures + 1 END,
    resets_at = CASE WHEN f.resets_at <= now() THEN excluded.resets_at ELSE f.resets_at END
  RETURNING failures, ${RESETS_IN_MS}`;

/** Counts in Postgres, by its clock. */
export class PostgresAttemptCounter implements AttemptCounter {
  constructor(
    private readonly pool: pg.Pool,
    private readonly options: { readonly prefix: string; readonly windowMs: number },
  ) {}

  async peek(key: string): Promise<AttemptCount> {
    const [row] = await repeatRows<CountRow>(this.pool, {
      name: 'peek-login-failures',
      text: `SELECT failures, ${RESETS_IN_MS} FROM login_failure WHERE key = $1 AND resets_at > now()`,
      values: [this.#keyOf(key)],
    });
    return row ? toCount(row) : NOTHING;
  }

  async add(key: string): Promise<AttemptCount> {
    const values = [this.#keyOf(key), this.options.windowMs];
    const [row] = await queryRows<CountRow>(this.pool, { name: 'add-login-failure', text: ADD, values });
    return row ? toCount(row) : NOTHING;
  }

  async clear(key: string): Promise<void> {
    await queryRows(this.pool, { text: 'DELETE FROM login_failure WHERE key = $1', values: [this.#keyOf(key)] });
  }

  #keyOf(key: string): string {
    return `${this.options.prefix}:${key}`;
  }
}

function toCount(row: CountRow): AttemptCount {
  return { count: row.failures, resetsInMs: row.resets_in_ms };
}
