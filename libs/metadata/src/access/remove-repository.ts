import type { Actor, RepositoryRecord } from '@entrepot/access';
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';

/**
 * Statements that empty a repository, $1, in the order of the foreign keys. Blobs stay for review, as other repositories
 * may hold them; bytes of uploads are doomed.
 */
const REMOVALS = [
  'DELETE FROM tag WHERE repository_id = $1',
  'DELETE FROM manifest_child c USING manifest m WHERE c.parent_id = m.id AND m.repository_id = $1',
  'DELETE FROM manifest_blob WHERE repository_id = $1',
  'DELETE FROM sparse_reference WHERE repository_id = $1',
  'DELETE FROM manifest_review r USING manifest m WHERE r.manifest_id = m.id AND m.repository_id = $1',
  'DELETE FROM manifest WHERE repository_id = $1',
  `WITH unlinked AS (DELETE FROM repository_blob WHERE repository_id = $1 RETURNING digest)
   INSERT INTO blob_review (digest, reason, due_at)
   SELECT digest, 'repository deleted', now() FROM unlinked ORDER BY digest
   ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
  `WITH ended AS (DELETE FROM upload WHERE repository_id = $1 RETURNING object_key)
   INSERT INTO doomed_object (object_key, reason) SELECT object_key, 'repository deleted' FROM ended`,
  'DELETE FROM tag_history WHERE repository_id = $1',
  'DELETE FROM access_grant WHERE repository_id = $1',
  'DELETE FROM repository WHERE id = $1',
];

/**
 * Removes the repository. Its row is locked first: a push that is under way is waited for, and one that comes later
 * fails on its foreign key.
 */
export async function removeRepository(
  manager: EntityManager,
  { id, name }: RepositoryRecord,
  actor: Actor,
): Promise<void> {
  await manager.query('SELECT FROM repository WHERE id = $1 FOR UPDATE', [id]);
  for (const statement of REMOVALS) await manager.query(statement, [id]);
  await manager.query('INSERT INTO outbox_event (id, kind, payload) VALUES ($1, $2, $3)', [
    randomUUID(),
    'repository.deleted',
    JSON.stringify({ repositoryId: id, repository: name, actor: actor.name }),
  ]);
}
