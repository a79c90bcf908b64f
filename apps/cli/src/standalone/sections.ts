import { byteSize, secret, section } from '@entrepot/runtime';
import { z } from 'zod';

/** Where a standalone Entrepot keeps everything. */
export const dataSection = section(
  'data',
  z.object({
    dir: z.string().min(1).prefault('./data').meta({
      description:
        'Directory of a standalone Entrepot: its Postgres, blobs and generated secrets. One instance owns it.',
    }),
    minFree: byteSize().prefault('512MiB').meta({
      description: 'Free space that a standalone start asks of the disk of the data directory.',
    }),
  }),
);

/** The first administrator. */
export const adminSection = section(
  'admin',
  z.object({
    password: secret(8).optional().meta({
      description:
        'Password of the account `admin` that the first start, or `entrepot migrate`, creates where nobody is an administrator. Unset: one is generated and shown once.',
    }),
  }),
);
