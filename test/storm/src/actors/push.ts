import type { Content } from '@entrepot/testkit/images';
import type { StormManifest } from '../model/contents.js';
import type { Group } from '../model/group.js';
import { Violation } from '../model/violation.js';
import { act, count, type Storm } from './storm.js';

const OCTETS = 'application/octet-stream';
/** A push that is refused so often is given up. */
const MOST_TRIES = 5;

type BlobWay = 'head' | 'mount' | 'upload' | 'chunked';
const WAYS: readonly [BlobWay, ...BlobWay[]] = ['head', 'head', 'mount', 'mount', 'upload', 'chunked'];

/**
 * Pushes a manifest as clients do: what it names first, all at once, then itself, under a tag or its digest. Where the registry
 * says that something is missing everything is sent again; where the storm's grace promises what was found, mounted or sent
 * before, that is a violation. False where it was refused too often: at grace 0 the collector may win every time.
 */
export async function pushManifest(
  storm: Storm,
  group: Group,
  manifest: StormManifest,
  tag?: string,
): Promise<boolean> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const way = () => (tries === 0 ? storm.random.pick(WAYS) : 'upload');
    for (const child of manifest.children) {
      if ((tries > 0 || !group.live.has(child)) && !(await pushManifest(storm, group, child))) return false;
    }
    await Promise.all(manifest.blobs.map((blob) => pushBlob(storm, group.repository, blob, way())));
    if (await putManifest(storm, group, manifest, tag)) return true;
    count(storm, 'pushes that began again');
  }
  count(storm, 'pushes that were given up');
  return false;
}

/** False where the registry misses something. */
async function putManifest(storm: Storm, group: Group, manifest: StormManifest, tag?: string): Promise<boolean> {
  const { content, name } = manifest;
  const { mediaType: contentType, bytes: body } = content;
  return group.change(`PUT ${name} as ${tag ?? 'its digest'}`, async () => {
    const path = `/v2/${group.repository}/manifests/${tag ?? content.digest}`;
    const answer = await act(storm, 'PUT manifest', { method: 'PUT', path, contentType, body });
    group.note(`  ${answer.status}`);
    if (answer.status === 201) {
      group.put(manifest, tag);
      return true;
    }
    const said = answer.body.toString();
    if (!said.includes('MANIFEST_BLOB_UNKNOWN'))
      throw new Violation('INV-1', `PUT ${name}: ${answer.status} ${said}`, group);
    if (storm.isPromised) throw new Violation('INV-7', `${name} was refused within the grace time: ${said}`, group);
    return false;
  });
}

/** Makes the repository hold the blob, by what the client believes at first. */
export async function pushBlob(storm: Storm, repository: string, blob: Content, way: BlobWay): Promise<void> {
  if (way === 'head') {
    const path = `/v2/${repository}/blobs/${blob.digest}`;
    const { status, headers } = await act(storm, 'HEAD blob', { method: 'HEAD', path });
    if (status === 200 && Number(headers['content-length']) !== blob.bytes.length) {
      throw new Violation('INV-2', `HEAD of ${blob.digest} says ${headers['content-length']} bytes`);
    }
    if (status === 200) return;
    if (status !== 404) throw new Violation('INV-1', `HEAD ${path}: ${status}`);
  }
  if (way === 'mount') return mountBlob(storm, repository, blob);
  if (way === 'chunked') return uploadInTwo(storm, repository, blob);
  return uploadWhole(storm, repository, blob);
}

async function mountBlob(storm: Storm, repository: string, blob: Content): Promise<void> {
  const source = storm.random.pick(storm.repositories as [string, ...string[]]);
  const path = `/v2/${repository}/blobs/uploads/?mount=${blob.digest}&from=${source}`;
  const answer = await act(storm, 'mount', { method: 'POST', path });
  if (answer.status === 201) return;
  if (answer.status !== 202) throw new Violation('INV-1', `mount of ${blob.digest}: ${answer.status}`);
  await finishUpload(storm, blob, answer.headers.location ?? '');
}

async function uploadWhole(storm: Storm, repository: string, { digest, bytes }: Content): Promise<void> {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
  const answer = await act(storm, 'upload', { method: 'POST', path, contentType: OCTETS, body: bytes });
  if (answer.status !== 201) throw new Violation('INV-7', `upload of ${digest}: ${answer.status} ${answer.body}`);
}

async function uploadInTwo(storm: Storm, repository: string, blob: Content): Promise<void> {
  const opened = await act(storm, 'start', { method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
  const location = opened.headers.location ?? '';
  const patch = { method: 'PATCH', path: location, contentType: OCTETS, body: blob.bytes };
  const patched = await act(storm, 'PATCH', patch);
  if (patched.status !== 202)
    throw new Violation('INV-7', `PATCH of ${blob.digest}: ${patched.status} ${patched.body}`);
  await finishUpload(storm, { ...blob, bytes: Buffer.alloc(0) }, patched.headers.location ?? '');
}

async function finishUpload(storm: Storm, blob: Content, location: string): Promise<void> {
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${blob.digest}`;
  const put = { method: 'PUT', path, contentType: OCTETS, body: blob.bytes };
  const answer = await act(storm, 'PUT blob', put);
  if (answer.status !== 201) throw new Violation('INV-7', `end of ${blob.digest}: ${answer.status} ${answer.body}`);
}
