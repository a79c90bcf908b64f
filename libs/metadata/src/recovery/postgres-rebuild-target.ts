import type {
  FinishRebuild,
  FoundObject,
  LostRepository,
  LostTag,
  MissingContent,
  ObjectKey,
  RebuildTarget,
  RebuiltManifest,
  RebuiltRows,
  RecoveryRecord,
  StagedManifest,
} from '@entrepot/content';
import type { RepositoryName } from '@entrepot/oci';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';
import {
  COUNTS,
  DROP_FORMER_NAMESAKES,
  LACKING_BLOBS,
  LINK_BLOBS,
  LOST_TAGS,
  MAKE_BLOBS,
  MAKE_REPOSITORIES,
  MAKE_TAGS,
  MISSING_CONTENT,
  NOTE_USE,
  RESOLVE_REFERENCES,
  SCHEDULE_REVIEWS,
} from './rebuild-tables.js';
import { stageRecords } from './stage-records.js';

const PAGE_ROWS = 500;
const PAGE_BYTES = 8 * 1024 * 1024;

/** Statements of the one transaction of a rebuild, over the tables that `rebuildInto` made. */
export class PostgresRebuildTarget implements RebuildTarget {
  constructor(private readonly tx: Queryable) {}

  stageRecords(records: readonly RecoveryRecord[]): Promise<void> {
    return stageRecords(this.tx, records);
  }

  async stageObjects(objects: readonly FoundObject[]): Promise<void> {
    await this.tx.query(
      `INSERT INTO staged_object (object_key, digest, size_bytes, is_whole, created_at)
       SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::boolean[], $5::timestamptz[]) ON CONFLICT (object_key) DO NOTHING`,
      [
        objects.map((each) => each.objectKey),
        objects.map((each) => digestBytes(each.digest)),
        objects.map((each) => each.sizeBytes),
        objects.map((each) => each.isWhole),
        objects.map((each) => each.createdAt),
      ],
    );
  }

  async makeRepositories(): Promise<LostRepository[]> {
    const [dropNamespaces, dropRepositories] = DROP_FORMER_NAMESAKES;
    await this.tx.query(dropNamespaces);
    const { rows: lost } = await this.tx.query<LostRepository>(dropRepositories);
    for (const statement of MAKE_REPOSITORIES) await this.tx.query(statement);
    return lost;
  }

  async makeBlobs(graceMs: number): Promise<void> {
    const [make, doom] = MAKE_BLOBS;
    await this.tx.query(String(make));
    await this.tx.query(String(doom), [graceMs]);
  }

  async stagedManifests(after: string | undefined): Promise<StagedManifest[]> {
    const { rows } = await this.tx.query<StagedRow>(
      `WITH next AS (
         SELECT s.place, octet_length(s.payload) AS size_bytes
         FROM staged_manifest s JOIN repository r ON r.id = s.repository_id
         WHERE s.place > $1 ORDER BY s.place LIMIT $2),
       sized AS (SELECT place, sum(size_bytes) OVER (ORDER BY place) - size_bytes AS bytes_before FROM next)
       SELECT s.place, s.repository_id, s.digest, s.media_type, s.payload, s.pushed_at
       FROM sized JOIN staged_manifest s USING (place) WHERE bytes_before < $3 ORDER BY place`,
      [after ?? 0, PAGE_ROWS, PAGE_BYTES],
    );
    return rows.map(toStagedManifest);
  }

  async makeManifests(manifests: readonly RebuiltManifest[]): Promise<void> {
    const names = manifests.flatMap(({ place, names: named }) => named.map((each) => ({ place, ...each })));
    await this.tx.query(MAKE_MANIFESTS, [
      manifests.map((each) => each.place),
      manifests.map(({ subject }) => (subject === undefined ? null : digestBytes(subject))),
      manifests.map(({ artifactType }) => artifactType ?? null),
      manifests.map(({ annotations }) => (annotations === undefined ? null : JSON.stringify(annotations))),
      names.map((each) => each.place),
      names.map((each) => digestBytes(each.digest)),
      names.map((each) => each.sizeBytes),
      names.map((each) => each.kind),
    ]);
  }

  async resolveReferences(newKey: () => ObjectKey): Promise<void> {
    for (const statement of RESOLVE_REFERENCES) await this.tx.query(statement);
    for (;;) {
      const { rows } = await this.tx.query<{ digest: Buffer; size_bytes: string }>(LACKING_BLOBS);
      if (rows.length === 0) break;
      await this.tx.query(
        `INSERT INTO blob (digest, size_bytes, object_key, fault, fault_at)
         SELECT digest, size_bytes, object_key, 'missing', now()
         FROM unnest($1::bytea[], $2::bigint[], $3::text[]) AS l (digest, size_bytes, object_key)`,
        [rows.map((row) => row.digest), rows.map((row) => row.size_bytes), rows.map(newKey)],
      );
    }
    for (const statement of LINK_BLOBS) await this.tx.query(statement);
  }

  async missingContent(limit: number): Promise<MissingContent[]> {
    const { rows } = await this.tx.query<MissingRow>(MISSING_CONTENT, [limit]);
    return rows.map(({ manifest, digest, ...row }) => ({
      ...row,
      manifest: digestFromBytes(manifest),
      digest: digestFromBytes(digest),
    }));
  }

  async makeTags(limit: number): Promise<LostTag[]> {
    await this.tx.query(MAKE_TAGS);
    const { rows } = await this.tx.query<{ repository: RepositoryName; tag: string; digest: Buffer }>(LOST_TAGS, [
      limit,
    ]);
    return rows.map(({ digest, ...row }) => ({ ...row, digest: digestFromBytes(digest) }));
  }

  async finish({ graceMs, lastNumber, logId }: FinishRebuild): Promise<RebuiltRows> {
    for (const statement of SCHEDULE_REVIEWS) await this.tx.query(statement, [graceMs]);
    for (const statement of NOTE_USE) await this.tx.query(statement);
    await this.tx.query(
      'UPDATE recovery_state SET last_number = greatest(last_number, $1), log_id = coalesce($2, log_id)',
      [lastNumber, logId ?? null],
    );
    const { rows } = await this.tx.query<Record<string, string>>(COUNTS);
    const count = (name: string): number => Number(rows[0]?.[name] ?? 0);
    return {
      namespaces: count('namespaces'),
      users: count('users'),
      repositories: count('repositories'),
      deletedRepositories: count('deleted_repositories'),
      manifests: count('manifests'),
      tags: count('tags'),
      blobs: count('blobs'),
      links: count('links'),
      spareObjects: count('spare_objects'),
    };
  }
}

interface StagedRow {
  readonly place: string;
  readonly repository_id: string;
  readonly digest: Buffer;
  readonly media_type: string;
  readonly payload: Buffer;
  readonly pushed_at: Date;
}

interface MissingRow extends Omit<MissingContent, 'manifest' | 'digest'> {
  readonly manifest: Buffer;
  readonly digest: Buffer;
}

function toStagedManifest(row: StagedRow): StagedManifest {
  return {
    kind: 'manifest',
    place: row.place,
    repositoryId: row.repository_id,
    digest: digestFromBytes(row.digest),
    mediaType: row.media_type,
    payload: row.payload,
    pushedAt: row.pushed_at.toISOString(),
  };
}

const MAKE_MANIFESTS = `
  WITH parsed AS (
    SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::json[])
      AS p (place, subject_digest, artifact_type, annotations)),
  made AS (
    INSERT INTO manifest (repository_id, digest, media_type, artifact_type, payload, subject_digest, annotations,
      pushed_by, pushed_at, deleted_at, deleted_by)
    SELECT s.repository_id, s.digest, s.media_type, p.artifact_type, s.payload, p.subject_digest, p.annotations,
      a.id, s.pushed_at, s.deleted_at, s.deleted_by
    FROM parsed p JOIN staged_manifest s USING (place)
    LEFT JOIN staged_namespace c ON c.id = s.pushed_by LEFT JOIN namespace cn ON cn.name = c.name
    LEFT JOIN account a ON a.id = cn.id
    ORDER BY p.place
    RETURNING id, repository_id, digest)
  INSERT INTO staged_reference (manifest_id, repository_id, digest, size_bytes, kind, is_awaited)
  SELECT made.id, made.repository_id, n.digest, n.size_bytes, n.kind, n.digest = ANY (s.awaited)
  FROM unnest($5::bigint[], $6::bytea[], $7::bigint[], $8::text[]) AS n (place, digest, size_bytes, kind)
  JOIN staged_manifest s USING (place) JOIN made ON made.repository_id = s.repository_id AND made.digest = s.digest`;
