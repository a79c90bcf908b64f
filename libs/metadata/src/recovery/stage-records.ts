import type {
  GoneRecord,
  ManifestRecord,
  NamespaceRecord,
  RecoveryKind,
  RecoveryRecord,
  RepositoryRecord,
  TagRecord,
} from '@entrepot/content';
import { digestBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';

/** Notes the records over those of before. Of several of one row the last holds; what is gone is forgotten. */
export async function stageRecords(tx: Queryable, records: readonly RecoveryRecord[]): Promise<void> {
  const latest = new Map(records.map((record) => [keyOf(record), record]));
  const gone = [...latest.values()].filter((record): record is GoneRecord => 'isGone' in record);
  const kept = [...latest.values()].filter((record) => !('isGone' in record));
  await stageNamespaces(
    tx,
    kept.filter((each): each is NamespaceRecord => each.kind === 'namespace'),
  );
  await stageRepositories(
    tx,
    kept.filter((each): each is RepositoryRecord => each.kind === 'repository'),
  );
  await stageManifests(
    tx,
    kept.filter((each): each is ManifestRecord => each.kind === 'manifest'),
  );
  await stageTags(
    tx,
    kept.filter((each): each is TagRecord => each.kind === 'tag'),
  );
  for (const kind of Object.keys(FORGET) as RecoveryKind[]) {
    const owners = gone.filter((each) => each.kind === kind);
    if (owners.length > 0) await forget(tx, kind, owners);
  }
}

function keyOf(record: RecoveryRecord): string {
  switch (record.kind) {
    case 'namespace':
    case 'repository':
      return `${record.kind} ${record.id}`;
    case 'manifest':
      return `manifest ${record.repositoryId} ${record.digest}`;
    case 'tag':
      return `tag ${record.repositoryId} ${record.name}`;
  }
}

const FORGET: Readonly<Record<RecoveryKind, string>> = {
  namespace: 'DELETE FROM staged_namespace s USING unnest($1::uuid[]) AS g (id) WHERE s.id = g.id',
  repository: 'DELETE FROM staged_repository s USING unnest($1::uuid[]) AS g (id) WHERE s.id = g.id',
  manifest: `DELETE FROM staged_manifest s USING unnest($1::uuid[], $2::bytea[]) AS g (id, digest)
    WHERE s.repository_id = g.id AND s.digest = g.digest`,
  tag: `DELETE FROM staged_tag s USING unnest($1::uuid[], $2::text[]) AS g (id, name)
    WHERE s.repository_id = g.id AND s.name = g.name`,
};

async function forget(tx: Queryable, kind: RecoveryKind, gone: readonly GoneRecord[]): Promise<void> {
  const ids = gone.map((each) => ('repositoryId' in each ? each.repositoryId : each.id));
  const keys = gone.map((each) =>
    each.kind === 'manifest' ? digestBytes(each.digest) : each.kind === 'tag' ? each.name : undefined,
  );
  await tx.query(FORGET[kind], kind === 'manifest' || kind === 'tag' ? [ids, keys] : [ids]);
}

async function stageNamespaces(tx: Queryable, records: readonly NamespaceRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO staged_namespace (id, name, owned_by, default_visibility, untagged)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
     ON CONFLICT (id) DO UPDATE SET place = DEFAULT, name = excluded.name, owned_by = excluded.owned_by,
       default_visibility = excluded.default_visibility, untagged = excluded.untagged`,
    columnsOf(records, ['id', 'name', 'ownedBy', 'defaultVisibility', 'untagged']),
  );
}

async function stageRepositories(tx: Queryable, records: readonly RepositoryRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO staged_repository
       (id, namespace_id, name, visibility, created_at, created_by, deleted_at, deleted_by, deleted_name)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[],
       $7::timestamptz[], $8::text[], $9::text[])
     ON CONFLICT (id) DO UPDATE SET namespace_id = excluded.namespace_id, name = excluded.name,
       visibility = excluded.visibility, created_at = excluded.created_at, created_by = excluded.created_by,
       deleted_at = excluded.deleted_at, deleted_by = excluded.deleted_by, deleted_name = excluded.deleted_name`,
    columnsOf(records, [
      'id',
      'namespaceId',
      'name',
      'visibility',
      'createdAt',
      'createdBy',
      'deletedAt',
      'deletedBy',
      'deletedName',
    ]),
  );
}

/** Lists of lists are sent as JSON: Postgres has no arrays of arrays of different lengths. */
async function stageManifests(tx: Queryable, records: readonly ManifestRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO staged_manifest
       (repository_id, digest, media_type, payload, pushed_at, pushed_by, deleted_at, deleted_by, awaited)
     SELECT g.repository_id, g.digest, g.media_type, g.payload, g.pushed_at, g.pushed_by, g.deleted_at, g.deleted_by,
       ARRAY(SELECT decode(a, 'hex') FROM jsonb_array_elements_text(g.awaited) AS e (a))
     FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[], $5::timestamptz[], $6::uuid[], $7::timestamptz[],
       $8::text[], $9::jsonb[])
       AS g (repository_id, digest, media_type, payload, pushed_at, pushed_by, deleted_at, deleted_by, awaited)
     ON CONFLICT (repository_id, digest) DO UPDATE SET media_type = excluded.media_type, payload = excluded.payload,
       pushed_at = excluded.pushed_at, pushed_by = excluded.pushed_by, deleted_at = excluded.deleted_at,
       deleted_by = excluded.deleted_by, awaited = excluded.awaited`,
    [
      records.map((each) => each.repositoryId),
      records.map((each) => digestBytes(each.digest)),
      records.map((each) => each.mediaType),
      records.map((each) => each.payload),
      ...columnsOf(records, ['pushedAt', 'pushedBy', 'deletedAt', 'deletedBy']),
      records.map(({ awaited = [] }) => JSON.stringify(awaited.map((digest) => digestBytes(digest).toString('hex')))),
    ],
  );
}

async function stageTags(tx: Queryable, records: readonly TagRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO staged_tag (repository_id, name, digest, updated_at, updated_by)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[], $5::uuid[])
     ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at,
       updated_by = excluded.updated_by`,
    [
      ...columnsOf(records, ['repositoryId', 'name']),
      records.map((each) => digestBytes(each.digest)),
      ...columnsOf(records, ['updatedAt', 'updatedBy']),
    ],
  );
}

function columnsOf<T>(records: readonly T[], names: readonly (keyof T)[]): unknown[][] {
  return names.map((name) => records.map((record) => record[name] ?? null));
}
