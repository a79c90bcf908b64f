import { createHash, randomBytes } from 'node:crypto';
import type { Connection } from './connection.js';
import { expectStatus } from './expect-status.js';

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const IMAGE_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/**
 * How a client sends a blob. `docker` (an engine with graph drivers): HEAD, POST, PATCH in chunked coding, an empty
 * PUT, HEAD. `containerd` (and docker from 29): HEAD, POST, PUT with the whole body.
 */
export type PushStyle = 'docker' | 'containerd';

/** Where a push goes and with what right. */
export interface Target {
  readonly repository: string;
  readonly token: string;
}

/** What an image is made of. */
export interface Image {
  readonly config: Buffer;
  readonly layers: readonly Buffer[];
}

/** An image of random layers that no registry has seen. */
export function makeImage(layerCount: number, layerBytes: number): Image {
  const layers = Array.from({ length: layerCount }, () => randomBytes(layerBytes));
  const config = {
    architecture: 'amd64',
    os: 'linux',
    created: new Date().toISOString(),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
  };
  return { config: Buffer.from(JSON.stringify(config)), layers };
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The manifest of an image, as it is pushed. */
export function manifestOf({ config, layers }: Image): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: IMAGE_MANIFEST,
      config: describe(IMAGE_CONFIG, config),
      layers: layers.map((layer) => describe(IMAGE_LAYER, layer)),
    }),
  );
}

function describe(mediaType: string, content: Buffer): object {
  return { mediaType, digest: digestOf(content), size: content.length };
}

/** One push, given to `pushImage`. */
export interface Push {
  readonly image: Image;
  readonly tag: string;
  readonly style: PushStyle;
  /** Set where others may have pushed some of its blobs: those that are there are not sent. */
  readonly mayExist?: true;
}

/** Pushes layers, config and manifest one after the other on one connection. */
export async function pushImage(connection: Connection, target: Target, push: Push): Promise<void> {
  const { image, tag } = push;
  for (const blob of [...image.layers, image.config]) await pushBlob(connection, target, { ...push, content: blob });
  const answer = await connection.exchange({
    method: 'PUT',
    path: `/v2/${target.repository}/manifests/${tag}`,
    headers: { Authorization: `Bearer ${target.token}`, 'Content-Type': IMAGE_MANIFEST },
    body: manifestOf(image),
  });
  expectStatus(answer, [201], 'PUT of a manifest');
}

async function pushBlob(
  connection: Connection,
  { repository, token }: Target,
  { content, style, mayExist }: Omit<Push, 'image' | 'tag'> & { readonly content: Buffer },
): Promise<void> {
  const digest = digestOf(content);
  const headers = { Authorization: `Bearer ${token}` };
  const blob = { method: 'HEAD', path: `/v2/${repository}/blobs/${digest}`, headers } as const;
  const found = expectStatus(await connection.exchange(blob), mayExist ? [200, 404] : [404], 'HEAD of a new blob');
  if (found.status === 200) return;
  const upload = await startUpload(connection, { repository, token });
  if (style === 'containerd') {
    const put = {
      method: 'PUT',
      path: withDigest(upload, digest),
      headers: bodyHeaders(headers),
      body: content,
    } as const;
    expectStatus(await connection.exchange(put), [201], 'PUT of a blob');
    return;
  }
  const patch = { method: 'PATCH', path: upload, headers: { ...headers, 'Transfer-Encoding': 'chunked' } } as const;
  const patched = expectStatus(await connection.exchange({ ...patch, body: oneChunk(content) }), [202], 'PATCH');
  const put = { method: 'PUT', path: withDigest(locationOf(patched.headers), digest), headers } as const;
  expectStatus(await connection.exchange(put), [201], 'PUT that ends an upload');
  expectStatus(await connection.exchange(blob), [200], 'HEAD of a pushed blob');
}

/** Starts an upload; gives the path and query to go on at. */
export async function startUpload(connection: Connection, { repository, token }: Target): Promise<string> {
  const post = {
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/`,
    headers: { Authorization: `Bearer ${token}` },
  };
  const started = await connection.exchange({ ...post, method: 'POST' });
  return locationOf(expectStatus(started, [202], 'POST of an upload').headers);
}

/** The path and query of a Location, which may be absolute or relative to the origin. */
export function locationOf(headers: ReadonlyMap<string, string>): string {
  const location = headers.get('location');
  if (location === undefined) throw new Error('an upload was answered without a Location');
  const { pathname, search } = new URL(location, 'http://localhost');
  return pathname + search;
}

/** An upload's location with the digest that ends it. */
export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

function bodyHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...headers, 'Content-Type': 'application/octet-stream' };
}

function oneChunk(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n0\r\n\r\n')]);
}
