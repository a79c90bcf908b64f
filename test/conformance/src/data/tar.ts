const blockSizeBytes = 512;

/** A tar archive (POSIX ustar) of one regular file. */
export function tarOf(name: string, content: Buffer): Buffer {
  const padding = Buffer.alloc((blockSizeBytes - (content.length % blockSizeBytes)) % blockSizeBytes);
  const end = Buffer.alloc(2 * blockSizeBytes);
  return Buffer.concat([tarHeader(name, content.length), content, padding, end]);
}

function tarHeader(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(blockSizeBytes);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  // The checksum is taken over the header with its own field full of spaces.
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
