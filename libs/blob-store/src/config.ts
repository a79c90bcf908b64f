import { parseByteSize, parseDuration } from '@entrepot/oci';
import { z } from 'zod';

/** Where the bytes of blobs live: the section `storage`. */
export const storageConfig = z
  .object({
    driver: z.enum(['filesystem', 's3']).prefault('filesystem').meta({
      description:
        'Where the bytes of new blobs go. Those that lie in the other store stay readable while its settings are given, so that the driver can be changed at any time.',
    }),
    root: z.string().trim().min(1).optional().meta({
      description:
        'Directory of the `filesystem` driver; processes that share the registry share it. Unset: `storage` in the data directory.',
    }),
    minFree: byteSize().prefault('100MiB').meta({
      description: 'Space of the disk that is left alone: below it uploads are answered with 503, pulls go on.',
    }),
    buffers: byteSize().prefault('64MiB').meta({
      description:
        'Memory of each service, its workers together, for the bytes of pulls and pushes on their way. `filesystem`: 2 MiB for each; when it is out, they make do with 128 KiB. `s3`: parts of uploads, and never more than this and one part for each upload that runs: 8 MiB while it is below 8 GiB, 16 MiB below 24 GiB, 32 MiB below 86 GiB, 64 MiB beyond.',
    }),
    endpoint: origin().optional().meta({
      description:
        'Origin of the object store, such as `https://s3.example.com:9000`. Unset: the one of AWS for the region.',
    }),
    publicEndpoint: origin().optional().meta({
      description:
        'Origin by which clients that are redirected reach the object store. Unset: `ENTREPOT_STORAGE_ENDPOINT`.',
    }),
    bucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
      .optional()
      .meta({
        description: 'The bucket; it must be there. Required by the driver `s3`.',
      }),
    prefix: text(/^(?!\.|.*\/\.)[\w.=@-]+(\/[\w.=@-]+)*\/?$/, 'must be a path such as registry/blobs')
      .optional()
      .meta({
        description: 'What all names in the bucket begin with, so that others may use it too.',
      }),
    region: text(/^[\w-]+$/, 'must be a region such as eu-central-1')
      .prefault('us-east-1')
      .meta({
        description: 'Region of the bucket, as requests are signed for it.',
      }),
    accessKey: text(/^\S+$/, 'must not have blanks').optional().meta({
      description: 'Names the key by which requests are signed. Required by the driver `s3`.',
    }),
    secretKey: text(/^\S+$/, 'must not have blanks').optional().meta({
      secret: true,
      description: 'The key by which requests are signed. Required by the driver `s3`.',
    }),
    pathStyle: z
      .enum(['true', 'false'])
      .prefault('true')
      .transform((value) => value === 'true')
      .meta({
        description:
          'The bucket stands in the path of requests; `false`: in the host name. AWS is always asked by host name.',
      }),
    ca: z.string().trim().min(1).optional().meta({
      description: 'PEM file with the authorities that the certificate of the object store is trusted by.',
    }),
    encryption: z.enum(['none', 'sse-s3', 'sse-kms']).prefault('none').meta({
      description:
        'What the object store is asked to encrypt with: nothing (its own default holds), keys of its own, or keys of its key service.',
    }),
    kmsKey: text(/^\S+$/, 'must not have blanks').optional().meta({
      description: 'Id of the key for `sse-kms`. Unset: the default one of the key service.',
    }),
    connectTimeout: duration().prefault('5s').meta({
      description: 'How long a connection to the object store may take to be made.',
    }),
    idleTimeout: duration().prefault('20s').meta({
      description:
        'How long nothing may move on a request to the object store before it is given up and made again; ten times as long while parts are joined.',
    }),
  })
  .superRefine((values, context) => {
    if (values.driver !== 's3' && values.bucket === undefined) return;
    for (const key of ['bucket', 'accessKey', 'secretKey'] as const) {
      if (values[key] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [key], message: 'required by the object store, but not set' });
    }
  });

export type StorageConfig = Readonly<z.infer<typeof storageConfig>>;

function text(form: RegExp, message: string) {
  return z.string().trim().regex(form, message);
}

/** Scheme, host and port of a server. */
function origin() {
  return z
    .string()
    .trim()
    .transform((value) => (URL.canParse(value) ? new URL(value) : undefined))
    .refine((url) => url !== undefined && isOrigin(url), 'must be an origin such as https://s3.example.com:9000')
    .transform((url) => url?.origin ?? '');
}

function isOrigin({ protocol, pathname, search, hash, username, password }: URL): boolean {
  return /^https?:$/.test(protocol) && `${pathname}${search}${hash}${username}${password}` === '/';
}

/** A size such as `64KiB` or `4MiB`; parsed to bytes. */
function byteSize() {
  return z
    .string()
    .transform((value) => parseByteSize(value) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a size such as 512B, 64KiB, 4MiB or 1GiB' }))
    .meta({ unit: 'bytes' });
}

/** A duration such as `250ms` or `15s`; parsed to milliseconds. */
function duration() {
  return z
    .string()
    .transform((value) => parseDuration(value) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a duration such as 250ms, 15s or 5m' }).min(1))
    .meta({ unit: 'ms' });
}
