import type { FoundRefreshToken, NewRefreshToken, RefreshTokens } from '@entrepot/access';
import type pg from 'pg';
import { repeatRows, runUnitOfWork } from '../database/unit-of-work.js';
import { LOGIN_COLUMNS, toLoginRecord } from './postgres-credentials.js';
import type { LoginRow } from './postgres-credentials.js';

interface RefreshTokenRow extends LoginRow {
  readonly credential_version: string;
  readonly service: string;
}

export class PostgresRefreshTokens implements RefreshTokens {
  constructor(private readonly pool: pg.Pool) {}

  async insert(token: NewRefreshToken, keep: number): Promise<void> {
    await runUnitOfWork(this.pool, async (tx) => {
      await tx.query(
        `INSERT INTO refresh_token (secret_sha256, account_id, credential_version, service, client_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0))`,
        [
          token.secretSha256,
          token.accountId,
          token.credentialVersion,
          token.service,
          token.clientId,
          token.expiresAtMs,
        ],
      );
      await tx.query(
        `DELETE FROM refresh_token WHERE account_id = $1 AND (expires_at <= now() OR secret_sha256 IN (
           SELECT secret_sha256 FROM refresh_token WHERE account_id = $1 ORDER BY created_at DESC OFFSET $2))`,
        [token.accountId, keep],
      );
    });
  }

  async find(secretSha256: Uint8Array): Promise<FoundRefreshToken | undefined> {
    const [row] = await repeatRows<RefreshTokenRow>(this.pool, {
      name: 'find-refresh-token',
      text: `
        SELECT ${LOGIN_COLUMNS}, t.credential_version, t.service
        FROM refresh_token t JOIN account a ON a.id = t.account_id JOIN namespace n ON n.id = a.id
        WHERE t.secret_sha256 = $1 AND t.expires_at > now()`,
      values: [secretSha256],
    });
    if (!row) return undefined;
    return {
      login: toLoginRecord(row),
      credentialVersion: Number(row.credential_version),
      service: row.service,
    };
  }
}
