import { Agent } from 'node:http';
import { createHash, randomBytes } from 'node:crypto';
import { createConnection } from './connection.js';
import { expectStatus } from './expect-status.js';
import type { CrowdPullJob, CrowdPushJob, UploadJob } from './jobs.js';
import { exchangeLarge } from './node-request.js';
import { IMAGE_MANIFEST, makeImage, pushImage, startUpload, withDigest, type Image } from './push-image.js';

const LAYERS_AT_ONCE = 3;
const PIECE_BYTES = 256 * 1024;

/** Each function does its work once for each client, all at the same time, and gives the time that each took. */
type Times = Promise<readonly number[]>;

export function crowdPush({ origin, target, clients, sharedLayers, layerBytes }: CrowdPushJob): Times {
  const shared = makeImage(sharedLayers, layerBytes).layers;
  return eachClient(clients, async (client) => {
    const connection = createConnection(origin);
    const own = makeImage(1, layerBytes);
    const image: Image = { config: own.config, layers: [...shared, ...own.layers] };
    await pushImage(connection, target, { image, tag: `crowd-${client}`, style: 'docker', mayExist: true });
    connection.close();
  });
}

export function crowdPull({ origin, target, tag, clients }: CrowdPullJob): Times {
  const { repository, token } = target;
  return eachClient(clients, async () => {
    const connection = createConnection(origin);
    const answer = await connection.exchange({
      method: 'GET',
      path: `/v2/${repository}/manifests/${tag}`,
      headers: { Authorization: `Bearer ${token}`, Accept: IMAGE_MANIFEST },
    });
    connection.close();
    const { config, layers } = JSON.parse(expectStatus(answer, [200], 'GET of a manifest').body.toString()) as Manifest;
    await pullBlobs(origin, target, [config, ...layers]);
  });
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

async function pullBlobs(
  origin: string,
  { repository, token }: CrowdPullJob['target'],
  blobs: readonly Descriptor[],
): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const left = [...blobs];
  const pullNext = async () => {
    for (let blob = left.shift(); blob; blob = left.shift()) {
      const url = new URL(`/v2/${repository}/blobs/${blob.digest}`, origin);
      const { status, receivedBytes } = await exchangeLarge({ method: 'GET', url, token, agent });
      if (status !== 200 || receivedBytes !== blob.size)
        throw new Error(`GET of a blob of ${blob.size} bytes was answered ${status} with ${receivedBytes}`);
    }
  };
  await Promise.all(Array.from({ length: LAYERS_AT_ONCE }, pullNext));
  agent.destroy();
}

/** All uploads bring the same bytes: what counts is that each is taken in. */
export function uploadMany({ origin, target, uploads, sizeBytes }: UploadJob): Times {
  const piece = randomBytes(PIECE_BYTES);
  const digest = digestOfPieces(piece, sizeBytes);
  return eachClient(uploads, async () => {
    const connection = createConnection(origin);
    const agent = new Agent({ keepAlive: true });
    const url = new URL(await startUpload(connection, target), origin);
    const body = { sizeBytes, pieces: piecesOf(piece, sizeBytes) };
    const { status, location } = await exchangeLarge({ method: 'PATCH', url, token: target.token, agent, body });
    if (status !== 202 || location === undefined) throw new Error(`PATCH of ${sizeBytes} bytes was answered ${status}`);
    const { pathname, search } = new URL(location, origin);
    const path = withDigest(pathname + search, digest);
    const headers = { Authorization: `Bearer ${target.token}` };
    expectStatus(await connection.exchange({ method: 'PUT', path, headers }), [201], 'PUT that ends an upload');
    connection.close();
    agent.destroy();
  });
}

function* piecesOf(piece: Buffer, sizeBytes: number): Generator<Buffer> {
  for (let sent = 0; sent < sizeBytes; sent += piece.length) yield piece.subarray(0, sizeBytes - sent);
}

function digestOfPieces(piece: Buffer, sizeBytes: number): string {
  const hash = createHash('sha256');
  for (const part of piecesOf(piece, sizeBytes)) hash.update(part);
  return `sha256:${hash.digest('hex')}`;
}

function eachClient(count: number, work: (client: number) => Promise<void>): Times {
  const timed = async (_: unknown, client: number) => {
    const before = performance.now();
    await work(client);
    return performance.now() - before;
  };
  return Promise.all(Array.from({ length: count }, timed));
}
