import type { ReviewTally, ReviewTerms } from '@entrepot/content';
import { Pool } from 'pg';
import { PostgresReviews, migrate } from '../index.js';
import { collectAll } from './collect-all.suite.js';
import { ContentWorld, type HeldTransaction } from './content-world.suite.js';

/** What pushes of a `ContentWorld` are promised. */
const GRACE_MS = 60_000;

const BRAKED = ['manifest', 'repository_blob', 'blob', 'link_review', 'tag'];

/**
 * A brake at the end of every transaction that changes one of these tables. It sleeps instead of waiting for a lock, so that
 * neither timeouts nor whoever looks for waiting transactions take it for one.
 */
const BRAKE = `
  CREATE FUNCTION test_brake() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE brake bigint := hashtext(current_user || ' ' || TG_TABLE_NAME);
  BEGIN
    WHILE NOT pg_try_advisory_xact_lock_shared(brake) LOOP PERFORM pg_sleep(0.005); END LOOP;
    RETURN NULL;
  END $$;
  ${BRAKED.map(
    (table) => `
      CREATE CONSTRAINT TRIGGER test_brake AFTER INSERT OR UPDATE OR DELETE ON ${table}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION test_brake();`,
  ).join('')}`;

/** Prepares a test database whose transactions can be stopped at their commit. */
export async function migrateWithBrakes(url: string): Promise<void> {
  await migrate(url);
  const pool = new Pool({ connectionString: url, max: 1 });
  await pool.query(BRAKE);
  await pool.end();
}

/** A data plane and a collector over one database; either can be stopped at the commit of what it does. */
export class CollectorWorld extends ContentWorld {
  readonly reviews: PostgresReviews;
  readonly #held = new Set<() => Promise<void>>();

  constructor(url: string) {
    super(url);
    this.reviews = new PostgresReviews(this.jobs);
  }

  /** What is left of a test is nothing to the next one. */
  override async close(): Promise<void> {
    for (const end of this.#held) await end();
    for (const table of ['manifest_review', 'link_review', 'blob_review', 'doomed_object']) {
      await this.owner.query(`DELETE FROM ${table}`);
    }
    await this.owner.query('UPDATE manifest SET deleted_at = NULL WHERE deleted_at IS NOT NULL');
    await super.close();
  }

  /** Lets the time of everything come that nobody has locked: it was pushed, left by a tag and put off a day ago. */
  async makeDue(): Promise<void> {
    const columns = [
      ['manifest', 'pushed_at'],
      ['tag_history', 'changed_at'],
      ['manifest_review', 'due_at'],
      ['link_review', 'due_at'],
      ['blob_review', 'due_at'],
    ] as const;
    for (const [table, column] of columns) {
      await this.owner.query(
        `UPDATE ${table} t SET ${column} = now() - interval '1 day'
         FROM (SELECT ctid FROM ${table} FOR UPDATE SKIP LOCKED) AS free WHERE t.ctid = free.ctid`,
      );
    }
  }

  /** Rounds until nothing is due. Nothing is kept for a time, but links for what pushes are promised. */
  collect(terms: Partial<ReviewTerms> = {}, reviews = this.reviews): Promise<ReviewTally> {
    return collectAll(reviews, { graceMs: GRACE_MS, ...terms });
  }

  /** Makes everything due and begins to collect, up to the commit that removes a row of the table. */
  async holdCollector(table: string, terms: Partial<ReviewTerms> = {}): Promise<HeldTransaction> {
    await this.makeDue();
    return this.holdCommit('jobrunner', table, () => this.collect(terms));
  }

  /** Runs the work up to the commit of its first transaction that changes the table, and leaves that open. */
  async holdCommit(
    role: 'registry' | 'jobrunner',
    table: string,
    work: () => Promise<unknown>,
  ): Promise<HeldTransaction> {
    const brake = await this.owner.connect();
    const key = `hashtext('entrepot_${role} ${table}')`;
    await brake.query(`SELECT pg_advisory_lock(${key})`);
    const done = work();
    const end = async () => {
      if (!this.#held.delete(end)) return;
      await brake.query(`SELECT pg_advisory_unlock(${key})`);
      brake.release();
      await done.catch(() => undefined);
    };
    this.#held.add(end);
    await Promise.race([this.#untilBraked(), done.then(() => Promise.reject(new Error('it did not stop')))]).catch(
      async (error: unknown) => {
        await end();
        throw error;
      },
    );
    return {
      commit: async () => {
        await end();
        await done;
      },
      rollBack: async () => {
        await this.owner.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
        await end();
      },
    };
  }

  async #untilBraked(): Promise<void> {
    for (;;) {
      const { rows } = await this.owner.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      );
      if (rows.length > 0) return;
    }
  }
}
