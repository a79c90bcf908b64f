import type { BlobFault, BlobWalk, ObjectKey, WalkPage, WalkedBlob } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

/** Before every digest. */
const FIRST = Buffer.alloc(0);

interface BlobRow {
  readonly digest: Buffer;
  readonly object_key: ObjectKey;
  readonly size_bytes: string;
  readonly fault: BlobFault | null;
}

export class PostgresBlobWalk implements BlobWalk {
  constructor(private readonly pool: pg.Pool) {}

  async page({ after, limit, repositoryId }: WalkPage): Promise<WalkedBlob[]> {
    const behind = after === undefined ? FIRST : digestBytes(after);
    const rows = await repeatRows<BlobRow>(
      this.pool,
      repositoryId === undefined ? pageOfAll(behind, limit) : pageOf(repositoryId, behind, limit),
    );
    return rows.map(({ digest, object_key: objectKey, size_bytes: sizeBytes, fault }) => ({
      digest: digestFromBytes(digest),
      objectKey,
      sizeBytes: Number(sizeBytes),
      ...(fault !== null && { fault }),
    }));
  }

  async count(repositoryId?: string): Promise<{ blobs: number; sizeBytes: number }> {
    const [row] = await repeatRows<{ blobs: string; size_bytes: string }>(this.pool, {
      text: `
        SELECT count(*) AS blobs, coalesce(sum(b.size_bytes), 0) AS size_bytes FROM blob b
        ${repositoryId === undefined ? '' : 'JOIN repository_blob l ON l.digest = b.digest AND l.repository_id = $1'}`,
      values: repositoryId === undefined ? [] : [repositoryId],
    });
    return { blobs: Number(row?.blobs), sizeBytes: Number(row?.size_bytes) };
  }

  async countQuarantined(): Promise<number> {
    const [row] = await repeatRows<{ blobs: number }>(this.pool, {
      name: 'count-quarantined-blobs',
      text: 'SELECT count(*)::int AS blobs FROM blob WHERE fault IS NOT NULL',
    });
    return row?.blobs ?? 0;
  }

  async hasObject(digest: Digest, key: ObjectKey): Promise<boolean> {
    const rows = await repeatRows(this.pool, {
      name: 'blob-has-object',
      text: 'SELECT digest FROM blob WHERE digest = $1 AND object_key = $2',
      values: [digestBytes(digest), key],
    });
    return rows.length > 0;
  }
}

function pageOfAll(behind: Buffer, limit: number): pg.QueryConfig {
  return {
    name: 'walk-blobs',
    text: 'SELECT digest, object_key, size_bytes, fault FROM blob WHERE digest > $1 ORDER BY digest LIMIT $2',
    values: [behind, limit],
  };
}

function pageOf(repositoryId: string, behind: Buffer, limit: number): pg.QueryConfig {
  return {
    name: 'walk-blobs-of-repository',
    text: `
      SELECT b.digest, b.object_key, b.size_bytes, b.fault
      FROM repository_blob l JOIN blob b ON b.digest = l.digest
      WHERE l.repository_id = $1 AND l.digest > $2 ORDER BY l.digest LIMIT $3`,
    values: [repositoryId, behind, limit],
  };
}
