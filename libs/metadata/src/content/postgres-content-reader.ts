import type {
  ContentReader,
  NamePage,
  ReadOptions,
  ReferrersPage,
  ReferrersQuery,
  StoredBlob,
  StoredManifest,
  Viewer,
} from '@entrepot/content';
import type { Digest, RepositoryName, Tag } from '@entrepot/oci';
import type pg from 'pg';
import { JoinedLookup } from '../database/joined-lookup.js';
import type { ReadReplica } from '../database/read-replica.js';
import { repeatRows } from '../database/unit-of-work.js';
import { findBlobs, findManifestsByDigest, findManifestsByTag, type InRepository } from './find-content.js';
import { findPromisedBlobs, promiseBlob, type PromisedBlob, type Wanted } from './promise-blob.js';
import { findReferrers } from './find-referrers.js';
import { listCatalog } from './list-catalog.js';

const identify = ({ repositoryId, key }: InRepository<string>): string => `${repositoryId} ${key}`;

const identifyWanted = ({ repositoryId, key }: InRepository<Wanted>): string =>
  `${repositoryId} ${key.digest} ${key.graceMs}`;

/**
 * Looks at a blob whose review changes under each of them. A blob that is not promised then is not there: to upload it once more
 * does no harm.
 */
const MOST_LOOKS = 5;

type Ask<Key extends string, Value> = (
  pool: pg.Pool,
  keys: readonly InRepository<Key>[],
) => Promise<(Value | undefined)[]>;

/** The look-up of one kind by digest, on the primary and on the replica, if there is one. */
interface DigestLookups<Value> {
  readonly primary: JoinedLookup<InRepository<Digest>, Value>;
  readonly replica: JoinedLookup<InRepository<Digest>, Value> | undefined;
}

/**
 * Reads of the pull path. `lookups` serves the joined look-ups alone, so that no long statement is in their way. What a
 * digest names may be read from `replica`; tags, listings and whatever else can change its meaning never are.
 */
export class PostgresContentReader implements ContentReader {
  readonly #byTag: JoinedLookup<InRepository<Tag>, StoredManifest>;
  readonly #byDigest: DigestLookups<StoredManifest>;
  readonly #blobs: DigestLookups<StoredBlob>;
  readonly #promised: JoinedLookup<InRepository<Wanted>, PromisedBlob>;

  constructor(
    private readonly pool: pg.Pool,
    lookups: pg.Pool,
    private readonly replica?: ReadReplica,
  ) {
    this.#byTag = joined(lookups, findManifestsByTag);
    this.#byDigest = this.#lookupsOf(lookups, findManifestsByDigest);
    this.#blobs = this.#lookupsOf(lookups, findBlobs);
    this.#promised = new JoinedLookup(identifyWanted, (keys) => findPromisedBlobs(lookups, keys));
  }

  manifestByTag(repositoryId: string, tag: Tag): Promise<StoredManifest | undefined> {
    return this.#byTag.find({ repositoryId, key: tag });
  }

  manifestByDigest(
    repositoryId: string,
    digest: Digest,
    options: ReadOptions = {},
  ): Promise<StoredManifest | undefined> {
    return this.#find(this.#byDigest, { repositoryId, key: digest }, options);
  }

  blob(repositoryId: string, digest: Digest, options: ReadOptions = {}): Promise<StoredBlob | undefined> {
    return this.#find(this.#blobs, { repositoryId, key: digest }, options);
  }

  async tags(repositoryId: string, { last = '', limit }: NamePage): Promise<Tag[]> {
    const rows = await repeatRows<{ name: Tag }>(this.pool, {
      name: 'tags',
      text: `
        SELECT name FROM tag WHERE repository_id = $1 AND name > $2
          AND EXISTS (SELECT FROM repository WHERE id = $1 AND deleted_at IS NULL)
        ORDER BY name LIMIT $3`,
      values: [repositoryId, last, limit],
    });
    return rows.map((row) => row.name);
  }

  /** Never of the replica, which may not know yet that the link is gone. */
  async promisedBlob(repositoryId: string, digest: Digest, graceMs: number): Promise<StoredBlob | undefined> {
    const wanted = { repositoryId, key: { digest, graceMs } };
    for (let look = 0; look < MOST_LOOKS; look += 1) {
      const blob = await this.#promised.find(wanted);
      if (!blob?.needsPromise || graceMs === 0 || (await promiseBlob(this.pool, wanted))) return blob;
    }
    return undefined;
  }

  referrers(query: ReferrersQuery): Promise<ReferrersPage> {
    return findReferrers(this.pool, query);
  }

  catalog({ accountId }: Viewer, page: NamePage): Promise<RepositoryName[]> {
    return listCatalog(this.pool, accountId, page);
  }

  /** What the replica lacks may be new: the primary is asked before it is said not to be there. */
  async #find<Value>(
    { primary, replica }: DigestLookups<Value>,
    key: InRepository<Digest>,
    { mayLag = false }: ReadOptions,
  ): Promise<Value | undefined> {
    if (!mayLag || !replica || this.replica?.isFreshFor(key.repositoryId) !== true) return primary.find(key);
    return (await replica.find(key).catch(() => this.replica?.distrust())) ?? primary.find(key);
  }

  #lookupsOf<Value>(lookups: pg.Pool, ask: Ask<Digest, Value>): DigestLookups<Value> {
    return { primary: joined(lookups, ask), replica: this.replica && joined(this.replica.pool, ask) };
  }
}

function joined<Key extends string, Value>(
  pool: pg.Pool,
  ask: Ask<Key, Value>,
): JoinedLookup<InRepository<Key>, Value> {
  return new JoinedLookup<InRepository<Key>, Value>(identify, (keys) => ask(pool, keys));
}
