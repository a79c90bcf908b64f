import type { KeyChange, PublicJwk, PublicKeys, PublishedKey, SealedKey, SigningKeys } from '@entrepot/access';
import type pg from 'pg';
import { queryRows, runUnitOfWork } from '../database/unit-of-work.js';
import type { Queryable } from '../database/unit-of-work.js';

/** Key of the advisory lock that lets one process at a time change the signing keys ("ent:keys" in ASCII). */
const LOCK_KEY = '7308907039527631219';

interface PublishedRow {
  readonly kid: string;
  readonly public_jwk: PublicJwk;
  readonly signs_from_ms: number;
  readonly verifies_until_ms: number | null;
}

interface SealedRow extends PublishedRow {
  readonly sealed_private: string;
}

const PUBLISHED = `kid, public_jwk, extract(epoch FROM signs_from)::float8 * 1000 AS signs_from_ms,
  extract(epoch FROM verifies_until)::float8 * 1000 AS verifies_until_ms`;
const SEALED = `SELECT ${PUBLISHED}, sealed_private FROM signing_key ORDER BY signs_from, kid`;

/** What a data plane may read: the public halves. Its database role cannot read the others. */
export class PostgresPublicKeys implements PublicKeys {
  constructor(protected readonly pool: pg.Pool) {}

  async listPublished(): Promise<PublishedKey[]> {
    const rows = await queryRows<PublishedRow>(this.pool, {
      name: 'list-published-keys',
      text: `SELECT ${PUBLISHED} FROM signing_key
        WHERE verifies_until IS NULL OR verifies_until > now() ORDER BY signs_from, kid`,
    });
    return rows.map(toPublished);
  }
}

export class PostgresSigningKeys extends PostgresPublicKeys implements SigningKeys {
  async listSealed(): Promise<SealedKey[]> {
    return (await queryRows<SealedRow>(this.pool, { name: 'list-sealed-keys', text: SEALED })).map(toSealed);
  }

  async change(plan: (keys: readonly SealedKey[]) => KeyChange): Promise<void> {
    await runUnitOfWork(this.pool, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(${LOCK_KEY})`);
      const { rows } = await tx.query<SealedRow>(SEALED);
      await applyChange(tx, plan(rows.map(toSealed)));
    });
  }
}

async function applyChange(tx: Queryable, { added, retired, removedKids, resealed }: KeyChange): Promise<void> {
  for (const { kid, verifiesUntilMs } of retired) {
    await tx.query('UPDATE signing_key SET verifies_until = to_timestamp($2 / 1000.0) WHERE kid = $1', [
      kid,
      verifiesUntilMs,
    ]);
  }
  for (const { kid, sealedPrivate } of resealed) {
    await tx.query('UPDATE signing_key SET sealed_private = $2 WHERE kid = $1', [kid, sealedPrivate]);
  }
  await tx.query('DELETE FROM signing_key WHERE kid = ANY ($1::text[])', [removedKids]);
  if (!added) return;
  await tx.query(
    `INSERT INTO signing_key (kid, public_jwk, sealed_private, signs_from)
     VALUES ($1, $2, $3, to_timestamp($4 / 1000.0))`,
    [added.kid, JSON.stringify(added.publicJwk), added.sealedPrivate, added.signsFromMs],
  );
}

function toPublished(row: PublishedRow): PublishedKey {
  return {
    kid: row.kid,
    publicJwk: row.public_jwk,
    signsFromMs: row.signs_from_ms,
    verifiesUntilMs: row.verifies_until_ms ?? undefined,
  };
}

function toSealed(row: SealedRow): SealedKey {
  return { ...toPublished(row), sealedPrivate: row.sealed_private };
}
