/** Media types that the data sets use. */
export const mediaTypes = {
  octets: 'application/octet-stream',
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  gzippedLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  foreignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  gzippedForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  exampleOne: 'application/vnd.example.entrepot.conformance.one',
  exampleTwo: 'application/vnd.example.entrepot.conformance.two',
} as const;
