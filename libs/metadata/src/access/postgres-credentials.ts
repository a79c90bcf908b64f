import type { Credentials, LoginRecord } from '@entrepot/access';
import type pg from 'pg';
import { queryRows, repeatRows } from '../database/unit-of-work.js';

/** Columns of an account `a` with its namespace `n`, as a login needs them. */
export const LOGIN_COLUMNS = `
  a.id, n.name, a.password_hash, a.is_disabled, a.access_version, a.credential_version AS current_credential_version`;

export interface LoginRow {
  readonly id: string;
  readonly name: string;
  readonly password_hash: string | null;
  readonly is_disabled: boolean;
  readonly access_version: string;
  readonly current_credential_version: string;
}

export function toLoginRecord(row: LoginRow): LoginRecord {
  return {
    accountId: row.id,
    name: row.name,
    passwordHash: row.password_hash ?? undefined,
    isDisabled: row.is_disabled,
    accessVersion: Number(row.access_version),
    credentialVersion: Number(row.current_credential_version),
  };
}

export class PostgresCredentials implements Credentials {
  constructor(private readonly pool: pg.Pool) {}

  async findLogin(name: string): Promise<LoginRecord | undefined> {
    const [row] = await repeatRows<LoginRow>(this.pool, {
      name: 'find-login',
      text: `SELECT ${LOGIN_COLUMNS} FROM namespace n JOIN account a ON a.id = n.id WHERE n.name = $1`,
      values: [name],
    });
    return row && toLoginRecord(row);
  }

  async upgradePasswordHash(accountId: string, from: string, to: string): Promise<void> {
    await queryRows(this.pool, {
      text: 'UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2',
      values: [accountId, from, to],
    });
  }
}
