import type { Content, Image } from '@entrepot/testkit/images';
import type { Answer, Exchange, RegistryClient } from '@entrepot/testkit/registry-client';
import type { Journal, UploadRecord } from './journal.js';

/** Where a pusher works and what it writes down. */
export interface Bench {
  readonly client: RegistryClient;
  readonly journal: Journal;
  readonly repository: string;
}

/** The registry said 503 and when to come back. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('503');
    this.retryAfterMs = retryAfterMs;
  }
}

/** The registry answered what it should not have. */
export class Surprise extends Error {
  override readonly name = 'Surprise';
}

export const UPLOAD_WAYS = ['whole', 'streamed', 'chunked'] as const;
export type UploadWay = (typeof UPLOAD_WAYS)[number];

/** Pushes an image under a tag as clients do: blobs first. Rejects where the connection breaks. */
export async function pushImage(bench: Bench, { image, tag, way }: { image: Image; tag: string; way: UploadWay }) {
  for (const content of [...image.layers, image.config]) await pushBlob(bench, content, way);
  await putManifest(bench, tag, image.manifest);
}

export async function pushBlob(bench: Bench, content: Content, way: UploadWay): Promise<void> {
  if (way === 'whole') await uploadWhole(bench, content);
  else await uploadInPieces(bench, content, way === 'chunked' ? 3 : 1);
  bench.journal.blobs.push({ repository: bench.repository, content });
}

async function putManifest({ client, journal, repository }: Bench, tag: string, manifest: Content): Promise<void> {
  const record = journal.tag(repository, tag);
  record.unanswered.add(manifest.digest);
  await expectStatus(journal, 201, client, {
    method: 'PUT',
    path: `/v2/${repository}/manifests/${tag}`,
    headers: { 'Content-Type': manifest.mediaType },
    body: manifest.bytes,
  });
  record.acknowledged = manifest.digest;
  record.unanswered.clear();
  journal.manifests.push({ repository, content: manifest });
}

async function uploadWhole({ client, journal, repository }: Bench, { digest, bytes }: Content): Promise<void> {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
  await expectStatus(journal, 201, client, { method: 'POST', path, headers: OCTETS, body: bytes });
}

/** Opens an upload, and writes it down. */
export async function openUpload({ client, journal, repository }: Bench, content: Content): Promise<UploadRecord> {
  const opened = await expectStatus(journal, 202, client, {
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/`,
    headers: { 'Content-Length': 0 },
  });
  const upload = { repository, content, location: opened.headers.location ?? '', offsetBytes: 0 };
  journal.uploads.add(upload);
  return upload;
}

async function uploadInPieces(bench: Bench, content: Content, pieceCount: number): Promise<void> {
  const { client, journal } = bench;
  const { bytes, digest } = content;
  const upload = await openUpload(bench, content);
  const pieceBytes = Math.ceil(bytes.length / pieceCount);
  while (upload.offsetBytes < bytes.length) await appendPiece(bench, upload, pieceBytes);
  await expectStatus(journal, 201, client, {
    method: 'PUT',
    path: withDigest(upload.location, digest),
    headers: { 'Content-Length': 0 },
  });
  journal.uploads.delete(upload);
}

/** Sends the next bytes of an upload, and writes down what the registry acknowledges. */
export async function appendPiece({ client, journal }: Bench, upload: UploadRecord, pieceBytes: number): Promise<void> {
  const start = upload.offsetBytes;
  const piece = upload.content.bytes.subarray(start, start + pieceBytes);
  const answer = await expectStatus(journal, 202, client, {
    method: 'PATCH',
    path: upload.location,
    headers: { ...OCTETS, 'Content-Range': `${start}-${start + piece.length - 1}` },
    body: piece,
  });
  upload.location = answer.headers.location ?? '';
  upload.offsetBytes = start + piece.length;
}

export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
}

const OCTETS = { 'Content-Type': 'application/octet-stream' };

async function expectStatus(
  journal: Journal,
  status: number,
  client: RegistryClient,
  exchange: Exchange,
): Promise<Answer> {
  const answer = await client.send(exchange);
  if (answer.status === status) return answer;
  const retryAfter = answer.headers['retry-after'];
  if (answer.status === 503 && retryAfter !== undefined) {
    journal.unavailableCount += 1;
    throw new Unavailable(Number(retryAfter) * 1000);
  }
  throw new Surprise(`${exchange.method} ${exchange.path}: ${answer.status} ${answer.body.toString()}`);
}
