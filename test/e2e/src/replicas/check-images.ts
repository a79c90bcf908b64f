import type { Entrepot } from '@entrepot/testkit/entrepot';
import { digestOf } from '@entrepot/testkit/images';
import { openRegistry, type Account, type RegistryClient } from '@entrepot/testkit/registry-client';
import { findManifest } from '../world/entrepot.js';
import type { Acknowledged } from './workers.js';

const CHECKER_COUNT = 8;

/** Pulls all of these images from one registry. Returns a line for each that is not whole there. */
export async function checkImages(
  registry: Entrepot,
  { account, issuer }: { readonly account: Account; readonly issuer: Entrepot },
  images: readonly Acknowledged[],
): Promise<string[]> {
  const client = openRegistry(registry.url, account, issuer.url);
  const broken: string[] = [];
  const left = [...images];
  const check = async () => {
    for (let image = left.pop(); image; image = left.pop()) {
      const complaint = await complaintOf(client, image);
      if (complaint !== undefined) broken.push(`${registry.host}/${image.repository}:${image.tag} ${complaint}`);
    }
  };
  await Promise.all(Array.from({ length: CHECKER_COUNT }, check));
  client.close();
  return broken;
}

async function complaintOf(client: RegistryClient, { repository, tag, digest }: Acknowledged) {
  const manifest = await findManifest(client, repository, tag);
  if (manifest === undefined) return 'is missing';
  const found = digestOf(manifest.bytes);
  if (found !== digest) return `is ${found}, acknowledged was ${digest}`;
  for (const blob of blobsOf(manifest.bytes)) {
    const { status, body } = await client.send({ method: 'GET', path: `/v2/${repository}/blobs/${blob}` });
    if (status !== 200) return `has a blob ${blob} that is answered with ${status}`;
    if (digestOf(body) !== blob) return `has other bytes as ${blob}`;
  }
  return undefined;
}

function blobsOf(manifest: Buffer): string[] {
  const { config, layers } = JSON.parse(manifest.toString()) as {
    config: { digest: string };
    layers: readonly { digest: string }[];
  };
  return [config, ...layers].map((descriptor) => descriptor.digest);
}
