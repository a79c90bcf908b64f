import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { IMAGE_MANIFEST } from '../client/push-image.js';
import type { ContenderName } from '../contenders/contender.js';
import { settleDisk } from '../machine/file-system.js';
import { hasProgram, runCommand } from '../machine/run-command.js';
import type { GcLab } from './gc-lab.js';

const COLLECT_TIMEOUT_MS = 30 * 60_000;
const LAYERS_PER_MANIFEST = 4;
const BLOBS_PER_MANIFEST = 1 + LAYERS_PER_MANIFEST;
const REPOSITORIES = 100;
const BLOB = Buffer.alloc(4096);

/** Directories and files by the hundred thousand take long to make. */
const MOST_KEPT = 100_000;

/**
 * Blobs that `garbage-collect` of each peer that is there removes in a minute, by its name. One after the other collects in
 * the same directory: what is removed is laid out anew.
 */
export async function measurePeers(lab: GcLab, kept: number, removed: number): Promise<Map<string, number>> {
  const rates = new Map<string, number>();
  const wanted = peers().filter(({ name }) => lab.peers.includes(name));
  if (kept > MOST_KEPT || wanted.length === 0) return rates;
  const directory = join(lab.directory, `peers-${kept}`);
  const storage = join(directory, 'storage');
  const config = join(directory, 'config.json');
  layOutKept(storage, kept);
  writeFileSync(config, JSON.stringify(configuration(storage)));
  for (const { name, program } of wanted) {
    layOutRemoved(storage, removed);
    await settleDisk(lab.directory);
    const started = performance.now();
    await runCommand(program, ['garbage-collect', config], {
      timeoutMs: COLLECT_TIMEOUT_MS,
      environment: { OTEL_TRACES_EXPORTER: 'none' },
    });
    const elapsedMs = performance.now() - started;
    if (existsSync(blobDirectory(storage, digestOf('removed 0 0')))) throw new Error(`${name} removed nothing`);
    rates.set(name, (removed / elapsedMs) * 60_000);
    lab.say(`${Math.round(elapsedMs)} ms for ${name}`);
  }
  return rates;
}

function peers(): readonly { readonly name: ContenderName; readonly program: string }[] {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const latest = join(cache, 'entrepot-bench', 'distribution-v3', 'registry');
  return [
    ...(hasProgram('docker-registry') ? [{ name: 'docker-registry', program: 'docker-registry' } as const] : []),
    ...(existsSync(latest) ? [{ name: 'distribution', program: latest } as const] : []),
  ];
}

function configuration(storage: string): object {
  return {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
  };
}

/** The same content as peers keep it: tagged images. */
function layOutKept(storage: string, kept: number): void {
  const repositories = join(storage, 'docker/registry/v2/repositories');
  mkdirSync(repositories, { recursive: true });
  for (let image = 0; image * BLOBS_PER_MANIFEST < kept; image += 1) {
    const manifest = placeImage(storage, 'kept', image);
    const repository = join(repositories, 'gc', `r${image % REPOSITORIES}`);
    const [algorithm = '', hex = ''] = manifest.split(':');
    const tag = join('_manifests/tags', `v${image}`);
    const revision = join('_manifests/revisions', algorithm, hex);
    for (const link of [revision, join(tag, 'current'), join(tag, 'index', algorithm, hex)]) {
      place(join(repository, link), 'link', manifest);
    }
    mkdirSync(join(repository, '_layers/sha256'), { recursive: true });
  }
}

/** Images whose manifests were deleted. */
function layOutRemoved(storage: string, removed: number): void {
  for (let image = 0; image * BLOBS_PER_MANIFEST < removed; image += 1) placeImage(storage, 'removed', image);
}

/** Blobs and manifest of an image; resolves with the manifest's digest. Nobody looks whether blobs are what their digests say. */
function placeImage(storage: string, label: string, image: number): string {
  const digests = Array.from({ length: BLOBS_PER_MANIFEST }, (_, index) => digestOf(`${label} ${image} ${index}`));
  for (const digest of digests) place(blobDirectory(storage, digest), 'data', BLOB);
  const [config, ...layers] = digests.map((digest) => ({ mediaType: 'application/octet-stream', digest, size: 4096 }));
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers });
  const digest = digestOf(manifest);
  place(blobDirectory(storage, digest), 'data', manifest);
  return digest;
}

function place(directory: string, name: string, content: string | Buffer): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), content);
}

function blobDirectory(storage: string, digest: string): string {
  const hex = digest.slice('sha256:'.length);
  return join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex);
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
