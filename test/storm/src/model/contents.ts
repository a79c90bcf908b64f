import { contentOf, descriptorOf, IMAGE_INDEX, IMAGE_MANIFEST, type Content } from '@entrepot/testkit/images';
import type { Random } from '@entrepot/testkit/random';

const MIN_BLOB_BYTES = 50;
const MORE_BLOB_BYTES = 1500;
const OCTETS = 'application/octet-stream';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const SIGNATURE = 'application/vnd.example.signature';

/** A manifest with all that it names. */
export interface StormManifest {
  /** As histories call it: `image2`. */
  readonly name: string;
  readonly content: Content;
  readonly blobs: readonly Content[];
  readonly children: readonly StormManifest[];
  readonly subject?: StormManifest;
}

/** Blobs that all images of a storm are made of; few enough that they meet, and many enough that they come and go. */
export function makeBlobs(random: Random, count: number): readonly Content[] {
  return Array.from({ length: count }, () =>
    contentOf(OCTETS, random.bytes(MIN_BLOB_BYTES + random.below(MORE_BLOB_BYTES))),
  );
}

/**
 * What one owner pushes to one repository, over and over: six images, an index of two, one of three, one of an index and an
 * image, two signatures of an image, one of an index, and one of a signature. No other owner has these digests.
 */
export function makeManifests(random: Random, owner: string, blobs: readonly Content[]): readonly StormManifest[] {
  const some = (count: number) => Array.from({ length: count }, () => blobs[random.below(blobs.length)] as Content);
  const maker = new Maker(owner);
  const images = Array.from({ length: 6 }, (_, at) => maker.image(`image${at}`, some(2 + random.below(3))));
  const [one, two, three, four, five] = images as [StormManifest, ...StormManifest[]];
  const pair = maker.index('index0', [one, two as StormManifest]);
  const trio = maker.index('index1', [two as StormManifest, three as StormManifest, four as StormManifest]);
  const nested = maker.index('index2', [pair, five as StormManifest]);
  const signature = maker.image('signature0', some(1), one);
  const others = [maker.image('signature1', some(1), one), maker.image('signature2', some(2), trio)];
  return [...images, pair, trio, nested, signature, ...others, maker.image('countersignature', some(1), signature)];
}

class Maker {
  constructor(private readonly owner: string) {}

  image(name: string, contents: readonly Content[], subject?: StormManifest): StormManifest {
    const blobs = [...new Set(contents)];
    const [config, ...layers] = blobs.map(descriptorOf);
    const content = this.#document(name, IMAGE_MANIFEST, {
      config: { ...config, mediaType: CONFIG },
      layers,
      ...(subject && { artifactType: SIGNATURE, subject: descriptorOf(subject.content) }),
    });
    return { name, content, blobs, children: [], ...(subject && { subject }) };
  }

  index(name: string, children: readonly StormManifest[]): StormManifest {
    const manifests = children.map(({ content }) => descriptorOf(content));
    return { name, content: this.#document(name, IMAGE_INDEX, { manifests }), blobs: [], children };
  }

  #document(name: string, mediaType: string, fields: object): Content {
    const annotations = { 'com.example.storm': `${this.owner} ${name}` };
    return contentOf(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields, annotations })));
  }
}
