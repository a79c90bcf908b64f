/**
 * The assertions of the main suite by name, each with the label and section of the distribution specification (main
 * branch) that demands it.
 */
export const checks = {
  ping: 'end-1, Determining Support',
  'blob-get': 'end-2, Pulling blobs',
  'blob-head': 'end-2, Checking if content exists in the registry',
  'blob-get-range': 'end-2, Pulling blobs (RFC 9110, section 14)',
  'blob-get-missing': 'end-2, Pulling blobs: 404',
  'blob-post-put': 'end-4a and end-6, POST then PUT',
  'blob-post-only': 'end-4b, Single POST',
  'blob-patch-chunked': 'end-5 and end-13, Pushing a blob in chunks',
  'blob-patch-stream': 'end-5, Pushing a blob in chunks (streamed)',
  'blob-mount': 'end-11, Mounting a blob from another repository',
  'blob-mount-anonymous': 'end-11, Mounting a blob without "from"',
  'blob-post-cancel': 'end-14, Cancel a blob upload',
  'blob-delete': 'end-10, Deleting Blobs',
  'blob-gone': 'end-10, Deleting Blobs: 404 afterwards',
  'manifest-put-by-digest': 'end-7a and end-7b, Pushing Manifests',
  'manifest-put-by-tag': 'end-7a, Pushing Manifests',
  'manifest-head-by-digest': 'end-3, Checking if content exists in the registry',
  'manifest-head-by-tag': 'end-3, Checking if content exists in the registry',
  'manifest-get-by-digest': 'end-3, Pulling manifests',
  'manifest-get-by-tag': 'end-3, Pulling manifests',
  'manifest-get-missing-digest': 'end-3, Pulling manifests: 404',
  'manifest-get-missing-tag': 'end-3, Pulling manifests: 404',
  'manifest-put-invalid-digest': 'end-7a, Pushing Manifests: 400',
  'manifest-get-invalid-digest': 'end-3, Pulling manifests: 400 or 404',
  'manifest-delete': 'end-9, Deleting Manifests',
  'manifest-gone': 'end-9, Deleting Manifests: 404 afterwards',
  'tag-delete': 'end-9, Deleting tags',
  'tag-gone': 'end-9, Deleting tags: 404 afterwards',
  'tag-list': 'end-8a and end-8b, Listing Tags',
  'tag-list-empty': 'end-8a, Listing Tags',
  referrers: 'end-12a and end-12b, Listing Referrers',
  'referrers-empty': 'end-12a, Listing Referrers: an empty list, not 404',
} as const satisfies Record<string, string>;

/** The name of an assertion of the main suite. */
export type CheckName = keyof typeof checks;
