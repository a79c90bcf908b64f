import { isDigest, type Digest } from './digest.js';
import {
  asObject,
  manifestInvalid,
  member,
  memberNames,
  optionalAnnotations,
  optionalMediaType,
  optionalString,
  optionalStrings,
  present,
  refuseCaseVariants,
  type AnnotationLimits,
} from './fields.js';
import type { Json, JsonObject } from './json.js';
import { isForeignLayer } from './media-type.js';

/** What one entry of an index runs on (image specification, "Image Index"). */
export interface Platform {
  readonly architecture?: string;
  readonly os?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  readonly variant?: string;
}

/** A reference to content by digest (image specification, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself in base64. Its length was compared with `sizeBytes`; its digest is for the caller to compare. */
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

const DESCRIPTOR_MEMBERS = memberNames(
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'data',
  'artifactType',
  'platform',
);
const PLATFORM_MEMBERS = memberNames('architecture', 'os', 'os.version', 'os.features', 'variant');

/** http or https, a host, no user, no fragment, no spaces. */
const CONTENT_URL = /^https?:\/\/(?:[^\s/?#@:\\[\]]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?][^\s#\\]*)?$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** @throws RegistryError MANIFEST_INVALID that names `path` */
export function parseDescriptor(value: Json | undefined, path: string, limits: AnnotationLimits): Descriptor {
  const object = asObject(value, path);
  refuseCaseVariants(object, DESCRIPTOR_MEMBERS, path);
  const mediaType = optionalMediaType(object, 'mediaType', `${path}.mediaType`);
  if (mediaType === undefined) throw manifestInvalid(`${path}.mediaType is missing`);
  const sizeBytes = readSize(object, path);
  return present({
    mediaType,
    digest: readDigest(object, path),
    sizeBytes,
    urls: readUrls(object, mediaType, path),
    annotations: optionalAnnotations(object, `${path}.annotations`, limits),
    data: readData(object, sizeBytes, path),
    artifactType: optionalMediaType(object, 'artifactType', `${path}.artifactType`),
    platform: readPlatform(object, path),
  });
}

function readDigest(object: JsonObject, path: string): Digest {
  const digest = member(object, 'digest');
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw manifestInvalid(`${path}.digest must be a sha256 or sha512 digest`);
  }
  return digest;
}

function readSize(object: JsonObject, path: string): number {
  const size = member(object, 'size');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || Object.is(size, -0)) {
    throw manifestInvalid(`${path}.size must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  return size;
}

function readUrls(object: JsonObject, mediaType: string, path: string): readonly string[] | undefined {
  const urls = optionalStrings(object, 'urls', `${path}.urls`);
  if (isForeignLayer(mediaType) && (urls === undefined || urls.length === 0)) {
    throw manifestInvalid(`${path}.urls is missing, and a foreign layer is found by its urls only`);
  }
  if (urls?.every((url) => CONTENT_URL.test(url)) === false) {
    throw manifestInvalid(`${path}.urls must be http or https URLs with a host and without a fragment`);
  }
  return urls;
}

function readData(object: JsonObject, sizeBytes: number, path: string): string | undefined {
  const data = optionalString(object, 'data', `${path}.data`);
  if (data === undefined || data === '') return undefined;
  if (data.length % 4 !== 0 || !BASE64.test(data)) throw manifestInvalid(`${path}.data must be base64`);
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  if ((data.length / 4) * 3 - padding !== sizeBytes) {
    throw manifestInvalid(`${path}.data has another length than ${path}.size says`);
  }
  return data;
}

function readPlatform(object: JsonObject, path: string): Platform | undefined {
  const value = member(object, 'platform');
  if (value === undefined) return undefined;
  const platform = asObject(value, `${path}.platform`);
  refuseCaseVariants(platform, PLATFORM_MEMBERS, `${path}.platform`);
  return present({
    architecture: optionalString(platform, 'architecture', `${path}.platform.architecture`),
    os: optionalString(platform, 'os', `${path}.platform.os`),
    osVersion: optionalString(platform, 'os.version', `${path}.platform.os.version`),
    osFeatures: optionalStrings(platform, 'os.features', `${path}.platform.os.features`),
    variant: optionalString(platform, 'variant', `${path}.platform.variant`),
  });
}
