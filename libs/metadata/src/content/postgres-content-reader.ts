import type {
  ContentReader,
  NamePage,
  Referrer,
  ReferrersQuery,
  StoredBlob,
  StoredManifest,
  Viewer,
} from '@entrepot/content';
import type { Digest, RepositoryName, Tag } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { JoinedLookup } from '../database/joined-lookup.js';
import { queryRows } from '../database/unit-of-work.js';
import { findBlobs, findManifestsByDigest, findManifestsByTag, type InRepository } from './find-content.js';
import { VISIBLE_REPOSITORY } from './visible-repositories.js';

const identify = ({ repositoryId, key }: InRepository<string>): string => `${repositoryId} ${key}`;

/** Reads of the pull path. `lookups` serves the joined look-ups alone, so that no long statement is in their way. */
export class PostgresContentReader implements ContentReader {
  readonly #byTag: JoinedLookup<InRepository<Tag>, StoredManifest>;
  readonly #byDigest: JoinedLookup<InRepository<Digest>, StoredManifest>;
  readonly #blobs: JoinedLookup<InRepository<Digest>, StoredBlob>;

  constructor(
    private readonly pool: pg.Pool,
    lookups: pg.Pool,
  ) {
    this.#byTag = new JoinedLookup<InRepository<Tag>, StoredManifest>(identify, (keys) =>
      findManifestsByTag(lookups, keys),
    );
    this.#byDigest = new JoinedLookup<InRepository<Digest>, StoredManifest>(identify, (keys) =>
      findManifestsByDigest(lookups, keys),
    );
    this.#blobs = new JoinedLookup<InRepository<Digest>, StoredBlob>(identify, (keys) => findBlobs(lookups, keys));
  }

  manifestByTag(repositoryId: string, tag: Tag): Promise<StoredManifest | undefined> {
    return this.#byTag.find({ repositoryId, key: tag });
  }

  manifestByDigest(repositoryId: string, digest: Digest): Promise<StoredManifest | undefined> {
    return this.#byDigest.find({ repositoryId, key: digest });
  }

  blob(repositoryId: string, digest: Digest): Promise<StoredBlob | undefined> {
    return this.#blobs.find({ repositoryId, key: digest });
  }

  async tags(repositoryId: string, { last = '', limit }: NamePage): Promise<Tag[]> {
    const rows = await queryRows<{ name: Tag }>(this.pool, {
      name: 'tags',
      text: 'SELECT name FROM tag WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3',
      values: [repositoryId, last, limit],
    });
    return rows.map((row) => row.name);
  }

  async referrers({ repositoryId, subject, artifactType, last, limit }: ReferrersQuery): Promise<Referrer[]> {
    const rows = await queryRows<ReferrerRow>(this.pool, {
      name: 'referrers',
      text: `
        SELECT digest, media_type, octet_length(payload) AS size_bytes, artifact_type, annotations
        FROM manifest
        WHERE repository_id = $1 AND subject_digest = $2
          AND ($3::text IS NULL OR artifact_type = $3)
          AND id > coalesce((SELECT id FROM manifest WHERE repository_id = $1 AND digest = $4), 0)
        ORDER BY id LIMIT $5`,
      values: [repositoryId, digestBytes(subject), artifactType ?? null, last ? digestBytes(last) : null, limit],
    });
    return rows.map((row) => ({
      digest: digestFromBytes(row.digest),
      mediaType: row.media_type,
      sizeBytes: row.size_bytes,
      ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
      ...(row.annotations !== null && { annotations: row.annotations }),
    }));
  }

  async catalog({ accountId }: Viewer, { last = '', limit }: NamePage): Promise<RepositoryName[]> {
    const rows = await queryRows<{ name: RepositoryName }>(this.pool, {
      name: 'catalog',
      text: `SELECT r.name FROM repository r WHERE r.name > $2 AND ${VISIBLE_REPOSITORY} ORDER BY r.name LIMIT $3`,
      values: [accountId ?? null, last, limit],
    });
    return rows.map((row) => row.name);
  }
}

interface ReferrerRow {
  readonly digest: Buffer;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly artifact_type: string | null;
  readonly annotations: Record<string, string> | null;
}
