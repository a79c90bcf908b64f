import { parseByteSize, parseDuration } from '@entrepot/oci';
import { z } from 'zod';

/** Work that is repeated is given time to be done. */
const MIN_INTERVAL_MS = 100;

/** What may be stored, and how much of it. */
export const contentSection = {
  name: 'content',
  schema: z.object({
    sparse: z.enum(['refuse', 'indexes', 'all']).prefault('refuse').meta({
      description:
        'Manifests that name content which their repository does not hold: `refuse`, allow `indexes` without their entries, or allow `all`.',
    }),
    maxManifest: byteSize().prefault('4MiB').meta({ description: 'Largest manifest; a larger one is 413.' }),
    maxBlob: byteSize().prefault('5TiB').meta({ description: 'Largest blob; a larger one is 413.' }),
    maxUploads: count(1).prefault('1000').meta({
      description: 'Uploads that one account may have open at once; one more is 429.',
    }),
    maxTagsPerPush: count(10).prefault('100').meta({
      description: '`tag=` parameters of one manifest push; one more is 414.',
    }),
    uploadLease: duration().prefault('15s').meta({
      description: 'How long an upload stays bound to a request that died; renewed while bytes flow.',
    }),
  }),
} as const;

/** Uploads that nobody finishes. */
export const uploadsSection = {
  name: 'uploads',
  schema: z.object({
    ttl: duration().prefault('7d').meta({
      description: 'An upload that had no request for so long is abandoned: it is removed with its bytes.',
    }),
    purgeInterval: duration(MIN_INTERVAL_MS).prefault('1h').meta({
      description: 'How often the jobrunner looks for abandoned uploads.',
    }),
  }),
} as const;

/** What garbage collection keeps for how long, and how fast it works. */
export const gcSection = {
  name: 'gc',
  schema: z.object({
    grace: duration().prefault('24h').meta({
      description:
        'How long a blob that was uploaded, mounted or asked for with HEAD stays without a reference, and all that lost its reference.',
    }),
    undo: duration().prefault('7d').meta({
      description:
        'How long deleted tags, manifests and repositories, and what tags pointed at before, can be restored; `0s` lets go of them.',
    }),
    untagged: z
      .string()
      .transform((text) => (text.trim() === 'keep' ? 'keep' : (parseDuration(text) ?? Number.NaN)))
      .pipe(z.union([z.literal('keep'), z.number()], { error: 'must be keep, or a duration such as 15s, 2h or 30d' }))
      .prefault('30d')
      .meta({
        unit: 'ms',
        description:
          'Manifests without a tag are removed when nobody pushed or pulled them for so long, or never: `keep`. Namespaces may have a rule of their own.',
      }),
    orphans: duration().prefault('24h').meta({
      description: 'How long signatures and other referrers stay whose subject is gone, unless a tag holds them.',
    }),
    interval: duration(MIN_INTERVAL_MS).prefault('1m').meta({
      description: 'How often the jobrunner reviews what may have become unused, and removes what has.',
    }),
    removalRate: count(0).prefault('1000').meta({
      description: 'Objects that each jobrunner removes from the store in a second at most; `0`: as many as it can.',
    }),
    sweepAge: duration().prefault('7d').meta({
      description:
        'How old an object must be by the clock of its store before a sweep removes it because nothing in the database knows it.',
    }),
    scrubRate: z
      .string()
      .transform((text) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : (parseByteSize(text) ?? Number.NaN)))
      .pipe(z.number({ error: 'must be a size such as 32MiB, or a number of bytes' }))
      .prefault('32MiB')
      .meta({
        unit: 'bytes',
        description:
          'Bytes that a scrub reads in a second at most, to compare objects with their digests; `0`: as many as it can.',
      }),
  }),
} as const;

export type ContentConfig = Readonly<z.output<typeof contentSection.schema>>;
export type UploadsConfig = Readonly<z.output<typeof uploadsSection.schema>>;
export type GcConfig = Readonly<z.output<typeof gcSection.schema>>;

function count(minimum: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(minimum));
}

function duration(minMs = 0) {
  return z
    .string()
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a duration such as 250ms, 15s, 5m, 2h or 7d' }).min(minMs))
    .meta({ unit: 'ms' });
}

function byteSize() {
  return z
    .string()
    .transform((text) => parseByteSize(text) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a size such as 512B, 64KiB, 4MiB or 1GiB' }))
    .meta({ unit: 'bytes' });
}
