import type { BlobFault, Claim, LedgerBlob, LedgerRange, ObjectKey, ObjectLedger } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

const COLUMNS = 'digest, object_key, size_bytes, created_at, fault, fault_at';

interface BlobRow {
  readonly digest: Buffer;
  readonly object_key: ObjectKey;
  readonly size_bytes: string;
  readonly created_at: Date;
  readonly fault: BlobFault | null;
  readonly fault_at: Date | null;
}

interface ClaimRow {
  readonly upload_key: ObjectKey;
  readonly is_held: boolean;
  readonly digest: Buffer | null;
  readonly object_key: ObjectKey | null;
}

/** Keys of what an upload left begin with its own and go on with nothing that sorts behind a tilde. */
export const BELONGS_TO = (column: string, upload: string): string =>
  `${column} >= ${upload} AND ${column} < ${upload} || '~'`;

/** Always asks the primary: a replica may not have heard of a row whose object is there already. */
export class PostgresObjectLedger implements ObjectLedger {
  constructor(private readonly pool: pg.Pool) {}

  /** An upload makes one object. Where two blobs seem to share one, nothing of it is to be touched. */
  async claims(uploads: readonly ObjectKey[]): Promise<Map<ObjectKey, Claim>> {
    const rows = await repeatRows<ClaimRow>(this.pool, {
      name: 'claims-on-objects',
      text: `
        SELECT u.upload_key, b.digest, b.object_key,
          EXISTS (SELECT FROM upload WHERE object_key = u.upload_key)
            OR EXISTS (SELECT FROM doomed_object d WHERE ${BELONGS_TO('d.object_key', 'u.upload_key')}) AS is_held
        FROM unnest($1::text[]) AS u (upload_key)
        LEFT JOIN LATERAL (
          SELECT digest, object_key FROM blob WHERE ${BELONGS_TO('object_key', 'u.upload_key')}
          ORDER BY object_key LIMIT 2) AS b ON true`,
      values: [uploads],
    });
    const claims = new Map<ObjectKey, Claim>();
    for (const { upload_key: upload, is_held: isHeld, digest, object_key: objectKey } of rows) {
      if (isHeld || claims.has(upload)) claims.set(upload, { kind: 'held' });
      else if (digest && objectKey) claims.set(upload, { kind: 'blob', digest: digestFromBytes(digest), objectKey });
    }
    return claims;
  }

  async blobs({ keyPattern, after, upTo, limit }: LedgerRange): Promise<LedgerBlob[]> {
    const rows = await repeatRows<BlobRow>(this.pool, {
      name: upTo === undefined ? 'blobs-behind-key' : 'blobs-between-keys',
      text: `
        SELECT ${COLUMNS} FROM blob
        WHERE object_key > $1 ${upTo === undefined ? '' : 'AND object_key <= $4'} AND object_key ~ $2
        ORDER BY object_key LIMIT $3`,
      values: [after ?? '', keyPattern, limit, ...(upTo === undefined ? [] : [upTo])],
    });
    return rows.map(toBlob);
  }

  async blob(digest: Digest): Promise<LedgerBlob | undefined> {
    const [row] = await repeatRows<BlobRow>(this.pool, {
      name: 'blob-of-ledger',
      text: `SELECT ${COLUMNS} FROM blob WHERE digest = $1`,
      values: [digestBytes(digest)],
    });
    return row && toBlob(row);
  }
}

function toBlob({ digest, object_key: objectKey, created_at: createdAt, ...row }: BlobRow): LedgerBlob {
  const quarantine = {
    ...(row.fault !== null && { fault: row.fault }),
    ...(row.fault_at !== null && { faultAt: row.fault_at }),
  };
  return { digest: digestFromBytes(digest), objectKey, sizeBytes: Number(row.size_bytes), createdAt, ...quarantine };
}
