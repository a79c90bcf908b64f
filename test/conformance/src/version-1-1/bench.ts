import { mediaTypes } from '../data/media-types.js';
import { Mismatch } from '../ledger/outcome.js';
import type { Client } from '../wire/client.js';
import { expectReply, readJson, requireLocation } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { target, withQuery } from '../wire/target.js';
import type { Content, Fixtures } from './fixtures.js';

/** One run of the v1.1.1 suite: the registry, what is pushed to it, and what one step leaves to the next. */
export interface Bench {
  readonly client: Client;
  readonly registry: URL;
  readonly repository: string;
  /** Where blobs are mounted to. */
  readonly mountRepository: string;
  /** Whether a mount without `from` is expected to be done. */
  readonly mountsAutomatically: boolean;
  readonly fixtures: Fixtures;
  readonly memory: Memory;
}

/** What one step leaves to the next. */
export interface Memory {
  lastReply?: WireReply;
  /** The URL of the session before its first chunk. */
  staleSession?: URL;
  chunks?: readonly [Content, Content];
  tagCount?: number;
  hasLayerlessManifest?: boolean;
  deletesBlobs?: boolean;
}

/** One specification of the suite, by the title it has there. */
export interface Step {
  readonly title: string;
  readonly clause: string;
  readonly run: (bench: Bench) => Promise<void>;
}

/** A part of the suite whose steps build on each other. */
export interface Chapter {
  readonly group: string;
  readonly steps: readonly Step[];
}

export const octets = { 'Content-Type': mediaTypes.octets } as const;
const acceptManifest = { Accept: mediaTypes.manifest } as const;

/** The URL of an endpoint of the bench's repository. */
export function endpoint(bench: Bench, path: string): URL {
  return target(bench.registry, bench.repository, path);
}

/** GET or HEAD that asks for an image manifest. */
export function readManifest(bench: Bench, method: 'GET' | 'HEAD', reference: string): Promise<WireReply> {
  return bench.client.send({ method, url: endpoint(bench, `manifests/${reference}`), headers: acceptManifest });
}

/** GET or HEAD of a blob. */
export function readBlob(bench: Bench, method: 'GET' | 'HEAD', digest: string): Promise<WireReply> {
  return bench.client.send({ method, url: endpoint(bench, `blobs/${digest}`) });
}

/** DELETE of `blobs/…` or `manifests/…`. */
export function remove(bench: Bench, path: string): Promise<WireReply> {
  return bench.client.send({ method: 'DELETE', url: endpoint(bench, path) });
}

/** Opens an upload. */
export async function openSession(bench: Bench): Promise<WireReply> {
  return bench.client.send({ method: 'POST', url: endpoint(bench, 'blobs/uploads/') });
}

/** The session's next URL on the registry itself: of the Location only path and query count. */
export function sessionOf(bench: Bench, reply: WireReply): URL {
  const { pathname, search } = requireLocation(reply);
  return new URL(`${pathname}${search}`, bench.registry);
}

/** PUT of the whole content into a new session. */
export async function uploadBlob(bench: Bench, content: Content): Promise<WireReply> {
  const session = sessionOf(bench, await openSession(bench));
  const url = withQuery(session, { digest: content.digest });
  return bench.client.send({ method: 'PUT', url, headers: octets, body: content.bytes });
}

/** PUT of a manifest under a tag or digest. */
export function uploadManifest(
  bench: Bench,
  reference: string,
  manifest: Content & { readonly mediaType?: string },
): Promise<WireReply> {
  const headers = { 'Content-Type': manifest.mediaType ?? mediaTypes.manifest };
  return bench.client.send({
    method: 'PUT',
    url: endpoint(bench, `manifests/${reference}`),
    headers,
    body: manifest.bytes,
  });
}

/** Any status from 200 to 299, or one of the others. */
export function expectSuccess(reply: WireReply, others: readonly number[] = []): void {
  if (reply.status < 200 || reply.status > 299) expectReply(reply, { status: [200, ...others] });
}

/** The reply that the step before has left. */
export function lastReplyOf(bench: Bench): WireReply {
  const { lastReply } = bench.memory;
  if (lastReply === undefined) throw new Mismatch('the step before got no answer');
  return lastReply;
}

/** The tags of a `tags/list` reply; none where it is not one. */
function tagsOf(reply: WireReply): readonly string[] {
  const { tags } = readJson(reply);
  return Array.isArray(tags) ? tags.map(String) : [];
}

/** GET of the tag list, which must be 200. */
export async function listTags(bench: Bench, query: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const reply = await bench.client.send({ method: 'GET', url: withQuery(endpoint(bench, 'tags/list'), query) });
  expectReply(reply, { status: [200] });
  return tagsOf(reply);
}
