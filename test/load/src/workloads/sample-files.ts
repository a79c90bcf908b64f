import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Image, makeImage } from '../client/push-image.js';

export const BLOB_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** A file and the digest of what it holds. */
export interface BlobFile {
  readonly file: string;
  readonly digest: string;
}

/** What is pushed and pulled: the same bytes for every contender. */
export interface Samples {
  /** An image of five small layers, for reads of manifests. */
  readonly image: Image;
  /** The blob for reads. */
  readonly blob: BlobFile;
  /** A blob that this contender has not seen: the number counts its uploads. */
  freshBlob(upload: number): BlobFile;
}

export function createSamples(directory: string): Samples {
  const piece = randomFillSync(Buffer.alloc(PIECE_BYTES));
  return {
    image: makeImage(5, 1024),
    blob: writeBlob(join(directory, 'blob'), piece, 0),
    freshBlob: (upload) => writeBlob(join(directory, 'fresh-blob'), piece, upload + 1),
  };
}

/**
 * Random bytes do not compress, and each piece is numbered so that no two are the same. The file is written anew in
 * place: its bytes are in the page cache, as are those of a client that has just built the layer.
 */
function writeBlob(file: string, piece: Buffer, variant: number): BlobFile {
  const hash = createHash('sha256');
  const output = openSync(file, 'w');
  for (let written = 0; written < BLOB_BYTES; written += PIECE_BYTES) {
    piece.writeUInt32LE(variant, 0);
    piece.writeUInt32LE(written / PIECE_BYTES, 4);
    hash.update(piece);
    writeSync(output, piece);
  }
  closeSync(output);
  return { file, digest: `sha256:${hash.digest('hex')}` };
}
