import { storageConfig } from '@entrepot/blob-store';
import { durationMs, parseNetworks, section, textList, type SectionValues } from '@entrepot/runtime';
import { z } from 'zod';

const MAX_LINK_MS = 7 * 24 * 3_600_000;

/** The section `storage` as the data plane reads it: where blobs are, as for every service, and by which way they leave. */
export const deliverySection = section(
  'storage',
  storageConfig.safeExtend({
    redirectNetworks: textList()
      .refine((entries) => parseNetworks(entries) !== undefined, 'must be addresses or networks such as 10.0.0.0/8')
      .prefault('')
      .meta({
        description:
          'Clients in these networks (`10.0.0.0/8,fd00::/8`) get blobs of an object store by a redirect to a signed URL of it; all others, and by default all, through the registry. What is redirected is not verified by the registry.',
      }),
    redirectExpiry: durationMs()
      .refine((ms) => ms >= 1000 && ms <= MAX_LINK_MS, 'must lie between 1s and 7d')
      .prefault('5m')
      .meta({
        description:
          'How long a signed URL may be used. Whoever has it can read the blob, whatever rights are withdrawn.',
      }),
    accelLocation: z
      .string()
      .trim()
      .regex(/^\/(?:[\w.-]+\/)+$/, 'must be a path that begins and ends with a slash, such as /entrepot-objects/')
      .optional()
      .meta({
        description:
          'Internal location of an nginx in front that serves the directory of the `filesystem` driver (deploy/nginx/accel.conf): it gets `X-Accel-Redirect` in place of the bytes where it is one of `ENTREPOT_HTTP_TRUSTED_PROXIES`.',
      }),
    verifyReads: z.enum(['auto', 'always']).prefault('auto').meta({
      description:
        'Whole blobs are compared with their digest while they are sent, and cut before the last byte where they differ: `auto` those that come from an object store, `always` files too. Ranges are never verified.',
    }),
  }),
);

export type DeliveryConfig = SectionValues<typeof deliverySection>;
