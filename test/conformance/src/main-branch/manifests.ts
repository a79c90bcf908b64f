import type { DataSet, StoredManifest } from '../data/data-set.js';
import { mediaTypes } from '../data/media-types.js';
import { throwAll, Unsupported } from '../ledger/outcome.js';
import { expectReply, requireLocation } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { target, withQuery } from '../wire/target.js';
import { examine, examineRemoval, expectDigestHeader } from './trial.js';
import type { Section, Trial } from './trial.js';

/** Sent as two header lines, which servers have to join. */
export const acceptManifests = { Accept: [mediaTypes.index, mediaTypes.manifest] } as const;

/** PUT by digest (end-7a), with a `tag=` for each tag given (end-7b). Returns the tags that the registry says it set. */
export async function examinePutByDigest(
  section: Section,
  manifest: StoredManifest,
  tags: readonly string[] = [],
): Promise<ReadonlySet<string>> {
  let accepted: ReadonlySet<string> = new Set();
  await examine(section, 'manifest-put-by-digest', async () => {
    const reply = await putManifest(section.trial, manifest, { reference: manifest.digest, tags });
    const values = (reply.headers['oci-tag'] ?? []).flatMap((value) => value.split(','));
    const listed = new Set(values.map((tag) => tag.trim()));
    accepted = new Set(tags.filter((tag) => listed.has(tag)));
    const missing = tags.filter((tag) => !accepted.has(tag));
    throwAll(missing.map((tag) => new Unsupported(`the tag ${tag} is not confirmed by OCI-Tag`)));
  });
  return accepted;
}

/** PUT by tag (end-7a). */
export function examinePutByTag(section: Section, manifest: StoredManifest, tag: string): Promise<boolean> {
  return examine(section, 'manifest-put-by-tag', async () => {
    await putManifest(section.trial, manifest, { reference: tag, tags: [] });
  });
}

type Naming = { readonly reference: string; readonly tags: readonly string[] };

/** Puts the manifest streamed, without Content-Length, and reads it back from the Location of the reply. */
async function putManifest(trial: Trial, manifest: StoredManifest, naming: Naming): Promise<WireReply> {
  const url = target(trial.registry, trial.repository, `manifests/${naming.reference}`);
  const reply = await trial.client.send({
    method: 'PUT',
    url: naming.tags.length === 0 ? url : withQuery(url, { tag: naming.tags }),
    headers: { 'Content-Type': manifest.mediaType },
    body: manifest.body,
    isChunked: true,
  });
  if (manifest.isCorrupt === true) {
    expectReply(reply, { status: [400] });
    return reply;
  }
  const subject = manifest.subject === undefined ? {} : { 'OCI-Subject': manifest.subject };
  expectReply(reply, { status: [201], headers: { Location: null, ...subject } });
  expectDigestHeader(reply, manifest.digest, false);
  const stored = await trial.client.send({ method: 'GET', url: requireLocation(reply), headers: acceptManifests });
  expectReply(stored, { status: [200], headers: contentHeaders(manifest), body: manifest.body });
  return reply;
}

/** HEAD or GET (end-3) by digest or tag: type, length, digest and, on GET, exactly the bytes. */
export function examineManifest(
  section: Section,
  method: 'GET' | 'HEAD',
  { manifest, tag }: { readonly manifest: StoredManifest; readonly tag?: string },
): Promise<boolean> {
  const { client, registry, repository, features } = section.trial;
  const url = target(registry, repository, `manifests/${tag ?? manifest.digest}`);
  const verb = method === 'GET' ? 'get' : 'head';
  return examine(section, `manifest-${verb}-by-${tag === undefined ? 'digest' : 'tag'}`, async () => {
    const reply = await client.send({ method, url, headers: acceptManifests });
    const body = method === 'HEAD' ? Buffer.alloc(0) : manifest.body;
    expectReply(reply, { status: [200], headers: contentHeaders(manifest), body });
    expectDigestHeader(reply, manifest.digest, features.digestHeader);
  });
}

function contentHeaders(manifest: StoredManifest): Readonly<Record<string, string>> {
  return { 'Content-Type': manifest.mediaType, 'Content-Length': String(manifest.body.length) };
}

/** DELETE of a tag or a manifest (end-9), then HEAD: 404 at once. */
export function examineManifestRemoval(section: Section, kind: 'tag' | 'manifest', reference: string): Promise<void> {
  const { client, registry, repository } = section.trial;
  const url = target(registry, repository, `manifests/${reference}`);
  return examineRemoval(
    section,
    { removal: `${kind}-delete`, absence: `${kind}-gone` },
    {
      async remove() {
        const reply = await client.send({ method: 'DELETE', url });
        expectReply(reply, { status: [202, 404, 400, 405] });
        if (reply.status === 400 || reply.status === 405)
          throw new Unsupported(`the registry does not delete by ${kind}`);
      },
      async lookAgain() {
        expectReply(await client.send({ method: 'HEAD', url, headers: acceptManifests }), { status: [404] });
      },
    },
  );
}

/** The manifest of that digest in the set. */
export function manifestOf(set: DataSet, digest: string): StoredManifest {
  const manifest = set.manifests.find((candidate) => candidate.digest === digest);
  if (manifest === undefined) throw new Error(`the data set has no manifest ${digest}`);
  return manifest;
}
