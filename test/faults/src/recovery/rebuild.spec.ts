import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import {
  IMAGE_MANIFEST,
  buildImage,
  buildIndex,
  contentOf,
  descriptorOf,
  type Content,
  type Image,
} from '@entrepot/testkit/images';
import type { Exchange, RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { Surprise, pushBlob, pushImage } from '../world/push.js';
import { startPushers } from '../world/pushers.js';
import { STORES, openTestStore, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';
import { takeInventory, type Inventory } from './inventory.js';

/** What the log may trail behind, under load. */
const TRAILING_MS = 10_000;
const PUSHING_MS = 4_000;

const newImage = (): Image => buildImage({ layers: [randomBytes(50_000), randomBytes(1_000)] });

/** A registry that was used in every way that leaves something, and all that there is to pull. */
class FilledRegistry {
  readonly paths = new Set<string>();
  readonly #product: Entrepot;
  #client: RegistryClient;
  /** Digest of a manifest that was deleted. */
  #removed = '';
  readonly #journal = new Journal();

  constructor(product: Entrepot) {
    this.#product = product;
    this.#client = connect(product);
  }

  async fill(): Promise<void> {
    const [first, second, third] = [newImage(), newImage(), newImage()];
    await this.#push('admin/app', first, 'one');
    await this.#push('admin/app', second, 'moved');
    await this.#push('admin/app', third, 'moved');
    await this.#push('admin/app', first, 'deleted');
    await this.#send('DELETE', '/v2/admin/app/manifests/deleted', 202);
    await this.#pushIndex();
    await this.#sign('admin/app', first.manifest);
    await this.#push('admin/app', newImage(), 'removed');
    const removed = newImage();
    await this.#push('admin/app', removed, 'removed');
    await this.#send('DELETE', `/v2/admin/app/manifests/${removed.manifest.digest}`, 202);
    this.#removed = removed.manifest.digest;
    await this.#product.run(['org', 'create', 'acme', '--default-visibility', 'public']);
    await this.#push('acme/open', first, 'latest');
    await this.#push('admin/opened', newImage(), 'latest');
    await this.#product.run(['repo', 'set-visibility', 'admin/opened', 'public']);
    await this.#push('admin/gone', newImage(), 'latest');
    await this.#product.run(['repo', 'delete', 'admin/gone']);
    await this.#product.run(['repo', 'create', 'admin/empty']);
  }

  /** Some more of it, with a new login: tokens end with the keys that the database held. */
  async goOn(): Promise<void> {
    await this.#expect(401, { method: 'GET', path: '/v2/admin/app/tags/list' });
    this.#client.close();
    this.#client = connect(this.#product);
    await this.#push('admin/app', newImage(), 'later');
    await this.#push('admin/app', newImage(), 'moved');
    await this.#send('DELETE', '/v2/admin/app/manifests/one', 202);
    await this.#product.run(['repo', 'set-visibility', 'admin/opened', 'private']);
  }

  /** Takes deletions back; resolves with what is then answered. */
  async restore(): Promise<Inventory> {
    await this.#product.run(['repo', 'restore', 'admin/gone']);
    await this.#product.run(['manifest', 'restore', `admin/app@${this.#removed}`]);
    const paths = ['/v2/admin/gone/manifests/latest', `/v2/admin/app/manifests/${this.#removed}`];
    return takeInventory(this.#product, paths);
  }

  close(): void {
    this.#client.close();
  }

  inventory(): Promise<Inventory> {
    const listings = [
      '/v2/_catalog',
      '/v2/admin/app/tags/list',
      '/v2/admin/gone/tags/list',
      '/v2/admin/empty/tags/list',
    ];
    return takeInventory(this.#product, [...this.paths, ...listings]);
  }

  async #pushIndex(): Promise<void> {
    const images = ['amd64', 'arm64'].map((architecture) => ({ image: newImage(), architecture }));
    for (const { image } of images) await this.#push('admin/app', image, image.manifest.digest);
    const index = buildIndex(images);
    await this.#putManifest('admin/app', index, 'index');
    await this.#sign('admin/app', index);
  }

  async #sign(repository: string, subject: Content): Promise<void> {
    const empty = contentOf('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
    await pushBlob({ client: this.#client, journal: this.#journal, repository }, empty, 'whole');
    const manifest = contentOf(
      IMAGE_MANIFEST,
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: IMAGE_MANIFEST,
          artifactType: 'application/vnd.example.signature',
          config: descriptorOf(empty),
          layers: [descriptorOf(empty)],
          subject: descriptorOf(subject),
          annotations: { of: subject.digest },
        }),
      ),
    );
    await this.#putManifest(repository, manifest, manifest.digest);
    this.paths.add(`/v2/${repository}/referrers/${subject.digest}`);
  }

  async #push(repository: string, image: Image, tag: string): Promise<void> {
    await pushImage({ client: this.#client, journal: this.#journal, repository }, { image, tag, way: 'whole' });
    this.#note(repository, image.manifest, tag);
    for (const { digest } of [image.config, ...image.layers]) this.paths.add(`/v2/${repository}/blobs/${digest}`);
  }

  async #putManifest(repository: string, manifest: Content, reference: string): Promise<void> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const headers = { 'Content-Type': manifest.mediaType };
    await this.#expect(201, { method: 'PUT', path, headers, body: manifest.bytes });
    this.#note(repository, manifest, reference);
  }

  #note(repository: string, { digest }: Content, reference: string): void {
    for (const each of [reference, digest]) this.paths.add(`/v2/${repository}/manifests/${each}`);
  }

  async #expect(status: number, exchange: Exchange): Promise<void> {
    const answer = await this.#client.send(exchange);
    if (answer.status === status) return;
    throw new Surprise(`${exchange.method} ${exchange.path}: ${answer.status} ${answer.body.toString()}`);
  }

  async #send(method: string, path: string, status: number): Promise<void> {
    await this.#expect(status, { method, path });
  }
}

/** The database goes with its directory; what lies beside it stays. */
async function loseDatabase(product: Entrepot): Promise<void> {
  await rm(join(product.dataDirectory, 'postgres'), { recursive: true });
}

describe.each(STORES)('a registry on %s whose database is lost', (kind) => {
  let store: TestStore;
  let product: Entrepot;
  let registry: FilledRegistry;
  let before: Inventory;

  beforeAll(async () => {
    store = await openTestStore(kind);
    product = await startEntrepot({ settings: store.settings });
    registry = new FilledRegistry(product);
    await registry.fill();
    before = await registry.inventory();
  });
  afterAll(async () => {
    registry.close();
    await product.remove();
    await store.remove();
  });

  it('cannot be rebuilt while it runs, nor over what is there', async () => {
    await expect(product.run(['rebuild'])).rejects.toThrow(/ended with 2: .*stop it/);
    expect(await product.stop()).toBe(0);
    await expect(product.run(['rebuild'])).rejects.toThrow(/ended with 2: .*only an empty one/);
  });

  it('leaves what it finds alone where it is started over an empty database', async () => {
    await loseDatabase(product);
    await product.restart();
    await until(async () => product.output().includes('recovery log of another database'), 'the log to be found');
    expect(await product.stop()).toBe(0);
  });

  it('FT-56, INV-16: answers every pull as before, once it is rebuilt', async () => {
    expect(await product.run(['rebuild', '--dry-run'])).toMatch(/would rebuild \d+ repositories/);
    const output = await product.run(['rebuild', '--json']);
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toMatchObject({ faults: [], refused: [], missing: [], lostTags: [] });
    await product.restart();
    expect(await registry.inventory()).toEqual(before);
  });

  it('goes on, and is rebuilt a second time', async () => {
    await registry.goOn();
    const then = await registry.inventory();
    expect(await product.stop()).toBe(0);
    await rm(product.dataDirectory, { recursive: true });
    await mkdir(product.dataDirectory);
    await product.run(['rebuild']);
    await product.restart();
    expect(await registry.inventory()).toEqual(then);
    const restored = Object.entries(await registry.restore()).filter(([path]) => path.startsWith('admin '));
    expect(restored.map(([, answer]) => answer.slice(0, 3))).toEqual(['200', '200']);
  });
});

describe.each(STORES)('a registry on %s that is killed under load, and its database lost', (kind) => {
  let store: TestStore;
  let product: Entrepot;

  beforeAll(async () => {
    store = await openTestStore(kind);
    product = await startEntrepot({ settings: store.settings });
  });
  afterAll(async () => {
    await product.remove();
    await store.remove();
  });

  it('FT-56: has everything again that is older than ten seconds', async () => {
    const journal = new Journal();
    const pushers = startPushers(product, journal);
    await delay(PUSHING_MS);
    const manifests = [...journal.manifests];
    const tags = [...journal.tags.values()].filter(({ acknowledged }) => acknowledged !== undefined);
    await delay(TRAILING_MS);
    await product.kill();
    await pushers.ended;
    await loseDatabase(product);
    await product.run(['rebuild']);
    await product.restart();
    const paths = manifests.flatMap(({ repository, content }) => [
      `/v2/${repository}/manifests/${content.digest}`,
      ...blobsOf(content).map((digest) => `/v2/${repository}/blobs/${digest}`),
    ]);
    paths.push(...tags.map(({ repository, tag }) => `/v2/${repository}/manifests/${tag}`));
    console.log(`${journal.summary()}; ${manifests.length} manifests older than ten seconds`);
    expect(manifests.length).toBeGreaterThan(0);
    const found = Object.entries(await takeInventory(product, [...new Set(paths)]));
    expect(found.filter(([path, answer]) => path.startsWith('admin ') && !answer.startsWith('200 '))).toEqual([]);
  });
});

describe('a store that lost objects with the database', () => {
  let product: Entrepot;
  beforeAll(async () => {
    product = await startEntrepot();
  });
  afterAll(() => product.remove());

  it('FT-56: says what is lost, and a push heals it', async () => {
    const client = connect(product);
    const journal = new Journal();
    const image = newImage();
    const bench = { client, journal, repository: 'admin/app' };
    await pushImage(bench, { image, tag: 'latest', way: 'whole' });
    client.close();
    await product.stop();
    await loseDatabase(product);
    const root = join(product.dataDirectory, 'storage', 'objects');
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile() && !each.name.endsWith('.json'))) {
      await truncate(join(file.parentPath, file.name), 10);
    }
    await expect(product.run(['rebuild'])).rejects.toThrow(/ended with 1: [^]*blob sha256:\w+ is short: admin\/app@/);
    await product.restart();
    const again = { ...bench, client: connect(product) };
    await pushImage(again, { image, tag: 'latest', way: 'whole' });
    const paths = blobsOf(image.manifest).map((digest) => `/v2/admin/app/blobs/${digest}`);
    const found = Object.entries(await takeInventory(product, paths));
    expect(found.filter(([path, answer]) => path.startsWith('admin ') && !answer.startsWith('200 '))).toEqual([]);
    again.client.close();
    expect(existsSync(root)).toBe(true);
  });
});

function blobsOf({ bytes }: Content): string[] {
  const { config, layers } = JSON.parse(bytes.toString()) as Record<'config', { digest: string }> &
    Record<'layers', { digest: string }[]>;
  return [config, ...layers].map(({ digest }) => digest);
}
