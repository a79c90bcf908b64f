import { z } from 'zod';

const count = (minimum: number, fallback: number) => z.coerce.number().int().min(minimum).default(fallback);

/** Settings of what is stored. Sizes are bytes, times milliseconds. */
export const contentConfig = z.object({
  sparse: z.enum(['refuse', 'indexes', 'all']).default('refuse').meta({
    description:
      'Whether a manifest may name content that its repository does not hold: never, indexes their children, or all manifests anything',
  }),
  maxManifestBytes: count(1024, 4 * 1024 * 1024).meta({
    description: 'Largest manifest in bytes; larger ones are 413',
  }),
  maxBlobBytes: count(1, 5 * 1024 ** 4).meta({ description: 'Largest blob in bytes; larger ones are 413' }),
  maxUploads: count(1, 1000).meta({ description: 'Uploads that one account may have open at once; more are 429' }),
  maxTagsPerPush: count(10, 100).meta({ description: 'tag= parameters of one manifest push; more are 414' }),
  leaseMs: count(1000, 15_000).meta({
    description: 'How long an upload stays bound to a request that died, in milliseconds; renewed while bytes flow',
  }),
  graceMs: count(0, 24 * 3600 * 1000).meta({
    description: 'How long content without a reference is safe from garbage collection, in milliseconds',
  }),
  uploadExpiryMs: count(1000, 7 * 24 * 3600 * 1000).meta({
    description: 'An upload without a request for this long is purged, in milliseconds',
  }),
  purgeIntervalMs: count(1000, 10 * 60 * 1000).meta({
    description: 'How often the jobrunner looks for abandoned uploads and doomed objects, in milliseconds',
  }),
});

export type ContentConfig = Readonly<z.infer<typeof contentConfig>>;
