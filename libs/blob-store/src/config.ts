import { z } from 'zod';

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Where the bytes of blobs live: the section `storage`. */
export const storageConfig = z.object({
  driver: z.enum(['filesystem']).prefault('filesystem').meta({
    description: 'Where the bytes of blobs live.',
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
      'Memory for buffers that pulls and pushes share, 2 MiB for each; when it is out, they make do with 128 KiB.',
  }),
});

export type StorageConfig = Readonly<z.infer<typeof storageConfig>>;

/** A size such as `64KiB` or `4MiB`; parsed to bytes. */
function byteSize() {
  return z
    .string()
    .regex(/^\d{1,12}([KMGT]i)?B$/, 'must be a size such as 512B, 64KiB, 4MiB or 1GiB')
    .transform((text) => Number.parseInt(text, 10) * (BYTES_PER_UNIT[text.replace(/^\d+/, '')] ?? Number.NaN))
    .pipe(z.number().int().max(Number.MAX_SAFE_INTEGER))
    .meta({ unit: 'bytes' });
}
