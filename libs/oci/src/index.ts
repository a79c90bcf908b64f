export type { Descriptor, Platform } from './descriptor.js';
export { digestAlgorithm, digestHex, isDigest, parseDigest } from './digest.js';
export type { Digest, DigestAlgorithm } from './digest.js';
export { ERROR_TABLE, RegistryError } from './errors.js';
export type { RegistryErrorCode, RegistryErrorOptions } from './errors.js';
export { DEFAULT_JSON_LIMITS, JsonError, parseJson } from './json.js';
export type { Json, JsonLimits, JsonObject } from './json.js';
export {
  allDescriptors,
  DEFAULT_MANIFEST_LIMITS,
  parseManifest,
  requiredBlobs,
  requiredManifests,
} from './manifest.js';
export type { ManifestLimits, ParsedManifest } from './manifest.js';
export type { ManifestKind } from './manifest-type.js';
export { acceptsMediaType, bareMediaType, isForeignLayer, MEDIA_TYPES } from './media-type.js';
export { nextLink, parsePage } from './page.js';
export type { Page, PageBounds } from './page.js';
export { MAX_QUERY_PARAMETERS, parseQuery } from './query.js';
export type { Query } from './query.js';
export { formatByteSize, formatDuration, parseByteSize, parseDuration } from './quantity.js';
export { parseBlobRange, parseUploadRange } from './range.js';
export type { ByteRange } from './range.js';
export { isTag, parseReference, parseTag } from './reference.js';
export type { Reference, Tag } from './reference.js';
export { MAX_REPOSITORY_NAME_LENGTH, namespaceOf, parseRepositoryName } from './repository-name.js';
export type { RepositoryName } from './repository-name.js';
export { matchRoute, MAX_URL_LENGTH, ROUTES, splitTarget } from './routes.js';
export type { MethodOf, RequestTarget, RouteMatch, RouteMethod, RouteName } from './routes.js';
export { DEFAULT_SCOPE_LIMITS, formatScope, parseScopes } from './scope.js';
export type { RequestedScope, ScopeLimits } from './scope.js';
