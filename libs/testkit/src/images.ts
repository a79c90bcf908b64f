import { createHash, randomBytes } from 'node:crypto';

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER_TAR = 'application/vnd.oci.image.layer.v1.tar';

/** Bytes and how they are named. */
export interface Content {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Image {
  readonly config: Content;
  readonly layers: readonly Content[];
  readonly manifest: Content;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function contentOf(mediaType: string, bytes: Buffer): Content {
  return { mediaType, digest: digestOf(bytes), bytes };
}

export interface ImageOptions {
  /** Layers as tar archives. */
  readonly layers: readonly Buffer[];
  readonly architecture?: string;
}

/** An OCI image that no other is like, though its layers may be another's. */
export function buildImage({ layers, architecture = 'amd64' }: ImageOptions): Image {
  const contents = layers.map((bytes) => contentOf(LAYER_TAR, bytes));
  const config = jsonContent(IMAGE_CONFIG, {
    architecture,
    os: 'linux',
    config: { Labels: { nonce: randomBytes(8).toString('hex') } },
    rootfs: { type: 'layers', diff_ids: contents.map(({ digest }) => digest) },
  });
  const manifest = jsonContent(IMAGE_MANIFEST, {
    schemaVersion: 2,
    mediaType: IMAGE_MANIFEST,
    config: descriptorOf(config),
    layers: contents.map(descriptorOf),
  });
  return { config, layers: contents, manifest };
}

/** An index over images of several architectures. */
export function buildIndex(images: readonly { image: Image; architecture: string }[]): Content {
  return jsonContent(IMAGE_INDEX, {
    schemaVersion: 2,
    mediaType: IMAGE_INDEX,
    manifests: images.map(({ image, architecture }) => ({
      ...descriptorOf(image.manifest),
      platform: { os: 'linux', architecture },
    })),
  });
}

export function descriptorOf({ mediaType, digest, bytes }: Content) {
  return { mediaType, digest, size: bytes.length };
}

function jsonContent(mediaType: string, document: unknown): Content {
  return contentOf(mediaType, Buffer.from(JSON.stringify(document)));
}
