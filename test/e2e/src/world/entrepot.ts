import { fileURLToPath } from 'node:url';
import type { Image } from '@entrepot/testkit/images';
import { openRegistry, type Account, type RegistryClient } from '@entrepot/testkit/registry-client';
import { inject } from 'vitest';
import { mustRun } from './run-command.js';

const COMMAND = fileURLToPath(new URL('../../../../apps/cli/bin/entrepot', import.meta.url));
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** Runs the `entrepot` command beside the started product. */
export async function entrepot(...args: readonly string[]): Promise<string> {
  const { dataDirectory, port, opsPort } = inject('world');
  const environment = {
    HOME: process.env['HOME'] ?? '',
    ENTREPOT_DATA_DIR: dataDirectory,
    ENTREPOT_HTTP_PORT: String(port),
    ENTREPOT_OPS_PORT: String(opsPort),
  };
  return (await mustRun(['sh', COMMAND, ...args], { environment })).stdout;
}

/** The registry over plain HTTP, to look at what clients have left there. */
export function asAccount(account?: Account): RegistryClient {
  return openRegistry(inject('world').url, account);
}

/** A manifest as the registry has it, or undefined. */
export async function findManifest(client: RegistryClient, repository: string, reference: string) {
  const path = `/v2/${repository}/manifests/${reference}`;
  const answer = await client.send({ method: 'GET', path, headers: { Accept: MANIFEST_TYPES } });
  if (answer.status !== 200) return undefined;
  return { digest: String(answer.headers['docker-content-digest']), bytes: answer.body };
}

/** Pushes images without a client. */
export async function pushDirectly(
  client: RegistryClient,
  repository: string,
  images: readonly Image[],
): Promise<void> {
  for (const { config, layers, manifest } of images) {
    for (const { digest, bytes } of [config, ...layers]) {
      await client.send({ method: 'POST', path: `/v2/${repository}/blobs/uploads/?digest=${digest}`, body: bytes });
    }
    const path = `/v2/${repository}/manifests/${manifest.digest}`;
    const headers = { 'Content-Type': manifest.mediaType };
    const { status } = await client.send({ method: 'PUT', path, headers, body: manifest.bytes });
    if (status !== 201) throw new Error(`the manifest was answered with ${status}`);
  }
}
