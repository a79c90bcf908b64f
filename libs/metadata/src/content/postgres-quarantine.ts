import type { BlobFault, ObjectKey, Quarantine } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

/** Repositories that the record of a quarantine names; a base layer may be everywhere, and further ones are counted. */
const NAMED_REPOSITORIES = 20;
const COUNTED_REPOSITORIES = 10_000;

/** A release is recorded, and the former object doomed, by the trigger of 0014_quarantine.sql. */
export class PostgresQuarantine implements Quarantine {
  constructor(private readonly pool: pg.Pool) {}

  /** One statement: it waits for whoever changes the blob, and looks at its key again. */
  async quarantine(digest: Digest, key: ObjectKey, fault: BlobFault): Promise<boolean> {
    const query = {
      name: 'quarantine-blob',
      text: `
        WITH marked AS (
          UPDATE blob SET fault = $3, fault_at = now() WHERE digest = $1 AND object_key = $2 AND fault IS NULL
          RETURNING size_bytes),
        named AS (
          SELECT r.name FROM repository_blob l JOIN repository r ON r.id = l.repository_id
          WHERE l.digest = $1 AND r.deleted_at IS NULL ORDER BY l.repository_id LIMIT ${NAMED_REPOSITORIES}),
        counted AS (
          SELECT count(*) AS repositories
          FROM (SELECT FROM repository_blob WHERE digest = $1 LIMIT ${COUNTED_REPOSITORIES}) AS links),
        story AS (
          SELECT jsonb_build_object('digest', $4::text, 'fault', $3::text, 'objectKey', $2::text,
            'sizeBytes', marked.size_bytes, 'repositoryCount', counted.repositories,
            'repositories', ARRAY (SELECT name FROM named ORDER BY name)) AS detail
          FROM marked CROSS JOIN counted),
        audit AS (
          INSERT INTO audit_event (actor_name, action, target, detail)
          SELECT 'gc', 'blob.quarantined', $4::text, detail FROM story)
        INSERT INTO outbox_event (id, kind, payload) SELECT gen_random_uuid(), 'blob.quarantined', detail FROM story
        RETURNING id`,
      values: [digestBytes(digest), key, fault, digest],
    };
    const check = {
      name: 'quarantined-blob',
      text: 'SELECT digest FROM blob WHERE digest = $1 AND object_key = $2 AND fault = $3',
      values: [digestBytes(digest), key, fault],
    };
    return (await repeatRows(this.pool, query, check)).length > 0;
  }

  async release(digest: Digest, key: ObjectKey): Promise<boolean> {
    const query = {
      name: 'release-blob',
      text: `
        UPDATE blob SET fault = NULL, fault_at = NULL
        WHERE digest = $1 AND object_key = $2 AND fault IS NOT NULL RETURNING digest`,
      values: [digestBytes(digest), key],
    };
    const check = {
      name: 'released-blob',
      text: 'SELECT digest FROM blob WHERE digest = $1 AND object_key = $2 AND fault IS NULL',
      values: [digestBytes(digest), key],
    };
    return (await repeatRows(this.pool, query, check)).length > 0;
  }
}
