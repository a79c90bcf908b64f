import { manifestInvalid, member, optionalString } from './fields.js';
import type { JsonObject } from './json.js';
import { bareMediaType, MEDIA_TYPES } from './media-type.js';

/** The three shapes of a manifest: `config` with `layers`, `manifests`, or `blobs`. */
export type ManifestKind = 'image' | 'index' | 'artifact';

export interface ResolvedType {
  readonly mediaType: string;
  readonly kind: ManifestKind;
}

const KINDS: ReadonlyMap<string, ManifestKind> = new Map([
  [MEDIA_TYPES.ociManifest, 'image'],
  [MEDIA_TYPES.dockerManifest, 'image'],
  [MEDIA_TYPES.ociIndex, 'index'],
  [MEDIA_TYPES.dockerManifestList, 'index'],
  [MEDIA_TYPES.ociArtifactManifest, 'artifact'],
]);

/** Members that belong to one shape only; a document with those of two shapes is read differently by different clients. */
const SHAPES: Readonly<Record<ManifestKind, readonly string[]>> = {
  image: ['config', 'layers'],
  index: ['manifests'],
  artifact: ['blobs'],
};

/** Types of other tools are welcome in the shapes we know. JSON only, so that no browser takes a manifest for a page. */
const OTHER_MANIFEST_TYPE = /^application\/[a-z0-9][a-z0-9!#$&^_.+-]{0,120}\+json$/;

const SCHEMA_1_MESSAGE =
  'schema 1 is not supported; pull the image and push it again with docker 1.10 or newer, ' +
  'or convert it with: skopeo copy --format v2s2';

/**
 * Decides what a document is, from the Content-Type of the request and its own `mediaType`, which may not disagree,
 * and from its shape where neither is given.
 * @throws RegistryError MANIFEST_INVALID
 */
export function resolveMediaType(document: JsonObject, contentType: string | undefined): ResolvedType {
  const outside = bareMediaType(contentType ?? '');
  const inside = optionalString(document, 'mediaType', 'mediaType') ?? '';
  refuseSchema1(document, [outside, inside]);
  if (outside !== '' && inside !== '' && outside !== inside) {
    throw manifestInvalid('mediaType is not the Content-Type of the request');
  }
  const given = inside === '' ? outside : inside;
  const kind = KINDS.get(given) ?? kindByShape(document, given);
  refuseOtherShapes(document, kind);
  refuseOtherSchemaVersions(document, kind);
  return { kind, mediaType: given === '' ? mediaTypeOfShape(kind) : given };
}

function refuseSchema1(document: JsonObject, types: readonly string[]): void {
  const isSchema1 = types.some(
    (type) => type === MEDIA_TYPES.dockerSchema1 || type === MEDIA_TYPES.dockerSchema1Signed,
  );
  if (isSchema1 || document['schemaVersion'] === 1 || member(document, 'fsLayers') !== undefined) {
    throw manifestInvalid(SCHEMA_1_MESSAGE);
  }
}

function kindByShape(document: JsonObject, given: string): ManifestKind {
  if (given !== '' && !OTHER_MANIFEST_TYPE.test(given)) {
    throw manifestInvalid('the Content-Type is not the media type of a manifest');
  }
  if (member(document, 'manifests') !== undefined) return 'index';
  if (member(document, 'config') !== undefined && member(document, 'layers') !== undefined) return 'image';
  throw manifestInvalid('neither an image manifest with config and layers, nor an index with manifests');
}

function mediaTypeOfShape(kind: ManifestKind): string {
  return kind === 'index' ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
}

function refuseOtherShapes(document: JsonObject, kind: ManifestKind): void {
  for (const [shape, names] of Object.entries(SHAPES)) {
    const foreign = shape === kind ? undefined : names.find((name) => member(document, name) !== undefined);
    if (foreign !== undefined) throw manifestInvalid(`${foreign} does not belong into this media type`);
  }
}

/** The artifact manifest alone has no schemaVersion. */
function refuseOtherSchemaVersions(document: JsonObject, kind: ManifestKind): void {
  const version = member(document, 'schemaVersion');
  if (version !== 2 && !(kind === 'artifact' && version === undefined)) {
    throw manifestInvalid('schemaVersion must be 2');
  }
}
