import type { Referrer } from '@entrepot/content';
import { MEDIA_TYPES, nextLink, parseDigest, parsePage, parseQuery, type Digest } from '@entrepot/oci';
import { RegistryError } from '@entrepot/oci';
import type { Call, RegistryRoom } from './call.js';
import { sendJson } from './replies.js';
import { absentIn, findRepositoryId, needRepositoryId } from './repository.js';

const TAGS = { defaultN: 1000, maxN: 10_000, above: 'clamp' } as const;
const CATALOG = { defaultN: 100, maxN: 1000, above: 'refuse' } as const;
const REFERRERS_PER_PAGE = 1000;
/** Clients read a referrers page whole, and some no more than the 4 MiB that a manifest may have. */
const REFERRERS_PAGE_BYTES = 3 * 1024 * 1024;

/** GET /v2/: the registry is here, and you are someone (end-1). */
export async function getBase(_room: RegistryRoom, call: Call<'base'>): Promise<void> {
  sendJson(call, {});
}

/** Tags in bytewise order (end-8a, end-8b). */
export async function getTags(room: RegistryRoom, call: Call<'tags'>): Promise<void> {
  const { name, query } = call.match;
  const page = pageOf(query, TAGS);
  const repositoryId = await needRepositoryId(room, call);
  const found = page.n === 0 ? [] : await room.reader.tags(repositoryId, { ...page, limit: page.n + 1 });
  // A repository that is gone has no tags: only then is it worth a look.
  if (found.length === 0) {
    const absent = new RegistryError('NAME_UNKNOWN', { detail: { name } });
    const answer = await absentIn(room, call, absent);
    if (answer !== absent) throw answer;
  }
  const tags = found.slice(0, page.n);
  sendJson(
    call,
    { name, tags },
    linkAfter(found, tags, (last) => nextLink(`/v2/${name}/tags/list`, page.n, last)),
  );
}

/** Names of the repositories that the caller may pull, in bytewise order (Docker registry API, "Catalog"). */
export async function getCatalog(room: RegistryRoom, call: Call<'catalog'>): Promise<void> {
  const page = pageOf(call.match.query, CATALOG);
  const { accountId } = call.caller;
  const viewer = accountId === undefined ? {} : { accountId };
  const found = page.n === 0 ? [] : await room.reader.catalog(viewer, { ...page, limit: page.n + 1 });
  const repositories = found.slice(0, page.n);
  sendJson(
    call,
    { repositories },
    linkAfter(found, repositories, (last) => nextLink('/v2/_catalog', page.n, last)),
  );
}

function pageOf(rawQuery: string, bounds: Parameters<typeof parsePage>[1]): ReturnType<typeof parsePage> {
  const query = parseQuery(rawQuery);
  return parsePage({ n: query.first('n'), last: query.first('last') }, bounds);
}

/** A Link only where more was found than is shown. */
function linkAfter(
  found: readonly string[],
  shown: readonly string[],
  link: (last: string) => string,
): Record<string, string> {
  const last = shown.at(-1);
  return last === undefined || found.length <= shown.length ? {} : { Link: link(last) };
}

/**
 * Manifests that name this one as their subject (end-12a, end-12b). Always an index, empty where nothing is known: a 404
 * would tell clients that the registry cannot do this.
 */
export async function getReferrers(room: RegistryRoom, call: Call<'referrers'>): Promise<void> {
  const { digest, name } = call.match;
  const query = parseQuery(call.match.query);
  const artifactType = query.first('artifactType');
  const after = query.first('last');
  const repositoryId = await findRepositoryId(room, call);
  const { referrers, hasMore } =
    repositoryId === undefined
      ? { referrers: [], hasMore: false }
      : await room.reader.referrers({
          repositoryId,
          subject: digest,
          limit: REFERRERS_PER_PAGE,
          limitBytes: REFERRERS_PAGE_BYTES,
          ...(artifactType !== undefined && { artifactType }),
          ...(after !== undefined && { last: parseDigest(after) }),
        });
  const last = hasMore ? referrers.at(-1)?.digest : undefined;
  sendJson(
    call,
    { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: referrers.map(toDescriptor) },
    {
      'Content-Type': MEDIA_TYPES.ociIndex,
      ...(artifactType !== undefined && { 'OCI-Filters-Applied': 'artifactType' }),
      ...(last !== undefined && { Link: referrersLink(name, digest, artifactType, last) }),
    },
  );
}

function toDescriptor({ mediaType, digest, sizeBytes: size, artifactType, annotations }: Referrer): unknown {
  return { mediaType, digest, size, artifactType, annotations };
}

function referrersLink(name: string, subject: Digest, artifactType: string | undefined, last: Digest): string {
  const filter = artifactType === undefined ? '' : `artifactType=${encodeURIComponent(artifactType)}&`;
  return `</v2/${name}/referrers/${subject}?${filter}last=${last}>; rel="next"`;
}
