import type { Digest } from '@entrepot/oci';

const NUMBER = { sha256: 1, sha512: 2 } as const;
const NAME = ['', 'sha256', 'sha512'] as const;

/** A digest as the database keeps it: one algorithm byte, then the raw hash (33 or 65 bytes). Numbers are only added. */
export function digestBytes(digest: Digest): Buffer {
  const colon = digest.indexOf(':');
  const algorithm = digest.slice(0, colon) as keyof typeof NUMBER;
  const bytes = Buffer.allocUnsafe(1 + (digest.length - colon - 1) / 2);
  bytes[0] = NUMBER[algorithm];
  bytes.write(digest.slice(colon + 1), 1, 'hex');
  return bytes;
}

export function digestFromBytes(bytes: Buffer): Digest {
  return `${NAME[bytes[0] ?? 0]}:${bytes.toString('hex', 1)}` as Digest;
}

/** The text of a digest in a column, as SQL. */
export function digestText(column: string): string {
  return `CASE get_byte(${column}, 0) WHEN 1 THEN 'sha256:' ELSE 'sha512:' END || encode(substring(${column} FROM 2), 'hex')`;
}
