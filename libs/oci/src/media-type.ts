/** Media types of the image specification and of Docker that a registry has to tell apart. */
export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociForeignLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  /** Deprecated before image-spec 1.1 was final, and still found. */
  ociArtifactManifest: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerPluginConfig: 'application/vnd.docker.plugin.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerUncompressed: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  blob: 'application/octet-stream',
} as const;

const FOREIGN_LAYERS: ReadonlySet<string> = new Set([
  MEDIA_TYPES.ociForeignLayer,
  MEDIA_TYPES.ociForeignLayerGzip,
  MEDIA_TYPES.ociForeignLayerZstd,
  MEDIA_TYPES.dockerForeignLayer,
]);

/** Type and subtype of a Content-Type or of one range of an Accept header: lower-case, parameters left out. */
export function bareMediaType(header: string): string {
  const semicolon = header.indexOf(';');
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
}

/** A layer that its licence keeps out of registries: clients fetch it from its `urls`. */
export function isForeignLayer(mediaType: string): boolean {
  return FOREIGN_LAYERS.has(mediaType);
}

/**
 * Whether a client that sent this Accept header (all its lines joined) can read the type. It can unless the header
 * lists types and neither this one nor a wildcard is among them; parameters, `q` included, are ignored.
 */
export function acceptsMediaType(acceptHeader: string | undefined, mediaType: string): boolean {
  if (acceptHeader === undefined) return true;
  let isEmpty = true;
  for (const range of acceptHeader.split(',')) {
    const accepted = bareMediaType(range);
    if (accepted === mediaType || accepted === '*/*' || accepted === 'application/*') return true;
    if (accepted !== '') isEmpty = false;
  }
  return isEmpty;
}
