import { createHash } from 'node:crypto';
import { deleteManifest, deleteTag, putManifest, type StoredManifest } from '@entrepot/content';
import {
  MEDIA_TYPES,
  RegistryError,
  acceptsMediaType,
  digestAlgorithm,
  parseManifest,
  parseQuery,
  parseTag,
  type Digest,
  type Tag,
} from '@entrepot/oci';
import { actorOf, type Call, type RegistryRoom } from './call.js';
import { IMMUTABLE, INERT_HEADERS, matchesEtag } from './replies.js';
import { absentIn, mayLag, needRepositoryId, openRepositoryId } from './repository.js';
import { readBody } from './request-body.js';

/** GET and HEAD of a manifest (end-3): the bytes as they were pushed, with the type that they were pushed as. */
export async function getManifest(room: RegistryRoom, call: Call<'manifest'>): Promise<void> {
  const repositoryId = await needRepositoryId(room, call);
  const { reference } = call.match;
  const found =
    reference.kind === 'tag'
      ? await room.reader.manifestByTag(repositoryId, reference.tag)
      : await room.reader.manifestByDigest(repositoryId, reference.digest, { mayLag: mayLag(call) });
  if (!found) throw await absentIn(room, call, new RegistryError('MANIFEST_UNKNOWN', { detail: detailOf(call) }));
  const sent = reference.kind === 'tag' ? await negotiate(room, call, repositoryId, found) : found;
  for (const { id } of new Set([found, sent])) room.uses.note(id);
  sendManifest(call, sent);
}

function detailOf({ match: { reference } }: Call<'manifest'>): unknown {
  return reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest };
}

/**
 * A client that cannot read lists gets the linux/amd64 entry of a Docker list, as it always has; one that cannot read
 * what is stored is told so. A digest asks for its very bytes, so that only tags are negotiated.
 */
async function negotiate(
  room: RegistryRoom,
  { request }: Call<'manifest'>,
  repositoryId: string,
  stored: StoredManifest,
): Promise<StoredManifest> {
  const { accept } = request.headers;
  if (acceptsMediaType(accept, stored.mediaType)) return stored;
  if (stored.mediaType === MEDIA_TYPES.dockerManifestList && acceptsMediaType(accept, MEDIA_TYPES.dockerManifest)) {
    const entry = parseManifest(stored.payload, stored.mediaType).manifests.find(
      ({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64',
    );
    const child = entry && (await room.reader.manifestByDigest(repositoryId, entry.digest));
    if (child) return child;
  }
  throw new RegistryError('MANIFEST_UNKNOWN', {
    message: `the manifest is stored as ${stored.mediaType}, which the Accept header does not allow`,
  });
}

function sendManifest({ request, response, match }: Call<'manifest'>, manifest: StoredManifest): void {
  const headers = {
    'Content-Type': manifest.mediaType,
    'Docker-Content-Digest': manifest.digest,
    ETag: `"${manifest.digest}"`,
    'Cache-Control': match.reference.kind === 'digest' ? IMMUTABLE : 'private, no-cache',
    Vary: 'Accept',
    ...INERT_HEADERS,
  };
  if (matchesEtag(request, manifest.digest)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'Content-Length': manifest.payload.byteLength });
  response.end(match.method === 'HEAD' ? undefined : manifest.payload);
}

/** PUT of a manifest under a tag or its digest (end-7a), or under its digest and tags at once (end-7b). */
export async function storeManifest(room: RegistryRoom, call: Call<'manifest'>): Promise<void> {
  const { request, response, match } = call;
  const { maxManifestBytes } = room.rules;
  const tags = tagsOf(room, call);
  const payload = await readBody(request, response, maxManifestBytes);
  const manifest = parseManifest(payload, request.headers['content-type'], { maxSizeBytes: maxManifestBytes });
  const digest = digestOf(call, payload);
  const repositoryId = await openRepositoryId(room, call);
  const actor = actorOf(call);
  await putManifest(room.work, room.rules, {
    repositoryId,
    repositoryName: match.name,
    actor,
    manifest,
    payload,
    digest,
    tags,
  });
  const isTagged = match.reference.kind === 'digest' && tags.length > 0;
  response.writeHead(201, {
    Location: `/v2/${match.name}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(manifest.subject && { 'OCI-Subject': manifest.subject.digest }),
    ...(isTagged && { 'OCI-Tag': tags.join(', ') }),
    'Content-Length': 0,
  });
  response.end();
}

function tagsOf(room: RegistryRoom, { match }: Call<'manifest'>): Tag[] {
  if (match.reference.kind === 'tag') return [match.reference.tag];
  const tags = [...new Set(parseQuery(match.query).all('tag').map(parseTag))];
  const { maxTagsPerPush } = room.rules;
  if (tags.length <= maxTagsPerPush) return tags;
  throw new RegistryError('TAG_INVALID', { status: 414, message: `a push takes ${maxTagsPerPush} tags at most` });
}

/** Digest of the bytes by the algorithm that the reference speaks; sha256 under a tag. */
function digestOf({ match: { reference } }: Call<'manifest'>, payload: Uint8Array): Digest {
  const algorithm = reference.kind === 'digest' ? digestAlgorithm(reference.digest) : 'sha256';
  const digest = `${algorithm}:${createHash(algorithm).update(payload).digest('hex')}` as Digest;
  if (reference.kind === 'tag' || reference.digest === digest) return digest;
  throw new RegistryError('DIGEST_INVALID', {
    message: 'the manifest received does not have the digest of the URL',
    detail: { expected: reference.digest, received: digest },
  });
}

/** DELETE of a tag, or of a manifest with all its tags (end-9). */
export async function removeManifest(room: RegistryRoom, call: Call<'manifest'>): Promise<void> {
  const { name, reference } = call.match;
  const repositoryId = await needRepositoryId(room, call);
  const removal = { repositoryId, repositoryName: name, actor: actorOf(call), graceMs: room.rules.graceMs };
  try {
    if (reference.kind === 'tag') await deleteTag(room.work, removal, reference.tag);
    else await deleteManifest(room.work, removal, reference.digest);
  } catch (error) {
    const isAbsent = error instanceof RegistryError && error.code === 'MANIFEST_UNKNOWN';
    throw isAbsent ? await absentIn(room, call, error) : error;
  }
  call.response.writeHead(202, { 'Content-Length': 0 }).end();
}
