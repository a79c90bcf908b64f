import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildImage, buildIndex, descriptorOf, type Content, type Image } from '@entrepot/testkit/images';
import { mustRun } from './run-command.js';

/** Images on disk as an OCI layout (image specification, "Image Layout Specification"). */
export interface Layout {
  readonly directory: string;
  /** What the tag `latest` of the layout names: a manifest or an index. */
  readonly top: Content;
  readonly images: readonly Image[];
}

/** A directory that `work` may fill; removed afterwards. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeDirectory();
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function makeDirectory(): Promise<string> {
  return makeDirectoryIn(tmpdir());
}

/** Without capital letters: buildah takes the path for a repository's name. */
async function makeDirectoryIn(parent: string): Promise<string> {
  const directory = join(parent, `entrepot-e2e-${randomBytes(6).toString('hex')}`);
  await mkdir(directory, { mode: 0o700 });
  return directory;
}

/** A layer with these files, by path. */
export function makeLayer(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  return withDirectory(async (directory) => {
    const [root, archive] = [join(directory, 'root'), join(directory, 'layer.tar')];
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
    }
    await mustRun(['tar', '-C', root, '--owner=0', '--group=0', '--numeric-owner', '-cf', archive, '.']);
    return readFile(archive);
  });
}

/** Writes an image into a layout below `directory`. */
export async function writeImage(directory: string, layers: readonly Buffer[]): Promise<Layout> {
  const image = buildImage({ layers });
  return writeLayout(directory, { top: image.manifest, images: [image] });
}

/** Writes an index with an image for each architecture. */
export async function writeIndex(directory: string, architectures: readonly string[]): Promise<Layout> {
  const platforms = await Promise.all(
    architectures.map(async (architecture) => {
      const layer = await makeLayer({ architecture: `${architecture}\n` });
      return { architecture, image: buildImage({ layers: [layer], architecture }) };
    }),
  );
  return writeLayout(directory, { top: buildIndex(platforms), images: platforms.map(({ image }) => image) });
}

async function writeLayout(parent: string, { top, images }: Omit<Layout, 'directory'>): Promise<Layout> {
  const directory = await makeDirectoryIn(parent);
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const contents = images.flatMap(({ config, layers, manifest }) => [config, ...layers, manifest]);
  for (const { digest, bytes } of [top, ...contents]) await writeFile(join(blobs, digest.slice(7)), bytes);
  const entry = { ...descriptorOf(top), annotations: { 'org.opencontainers.image.ref.name': 'latest' } };
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return { directory, top, images };
}
