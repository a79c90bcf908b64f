import { createHash } from 'node:crypto';

/** Bytes and how a manifest speaks of them. */
export interface Content {
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
export const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

export function contentOf(data: string | Uint8Array): Content {
  const bytes = Buffer.from(data);
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

export function descriptorOf({ bytes, digest }: Content, mediaType: string): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

/** An image of one layer, the same bytes for the same seed. */
export interface Image {
  readonly config: Content;
  readonly layer: Content;
  readonly manifest: Content;
}

export function imageOf(seed: string, extra: object = {}): Image {
  const config = contentOf(JSON.stringify({ architecture: 'amd64', os: 'linux', seed }));
  const layer = contentOf(`layer of ${seed}`);
  const document = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptorOf(config, CONFIG_TYPE),
    layers: [descriptorOf(layer, LAYER_TYPE)],
    ...extra,
  };
  return { config, layer, manifest: contentOf(JSON.stringify(document)) };
}

/** An index of the manifests given. */
export function indexOf(manifests: readonly Descriptor[], extra: object = {}): Content {
  return contentOf(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests, ...extra }));
}

/** What the repositories of the fixture hold under the tag `1`. */
export const IMAGES = {
  'acme/app': imageOf('acme/app'),
  'acme/pub': imageOf('acme/pub'),
  'globex/secret': imageOf('globex/secret'),
} as const;
