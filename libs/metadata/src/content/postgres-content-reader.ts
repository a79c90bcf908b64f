import type {
  ContentReader,
  NamePage,
  ReferrersPage,
  ReferrersQuery,
  StoredBlob,
  StoredManifest,
  Viewer,
} from '@entrepot/content';
import type { Digest, RepositoryName, Tag } from '@entrepot/oci';
import type pg from 'pg';
import { JoinedLookup } from '../database/joined-lookup.js';
import { repeatRows } from '../database/unit-of-work.js';
import { findBlobs, findManifestsByDigest, findManifestsByTag, type InRepository } from './find-content.js';
import { findReferrers } from './find-referrers.js';
import { listCatalog } from './list-catalog.js';

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
    const rows = await repeatRows<{ name: Tag }>(this.pool, {
      name: 'tags',
      text: 'SELECT name FROM tag WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3',
      values: [repositoryId, last, limit],
    });
    return rows.map((row) => row.name);
  }

  referrers(query: ReferrersQuery): Promise<ReferrersPage> {
    return findReferrers(this.pool, query);
  }

  catalog({ accountId }: Viewer, page: NamePage): Promise<RepositoryName[]> {
    return listCatalog(this.pool, accountId, page);
  }
}
