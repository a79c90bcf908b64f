import { fileURLToPath } from 'node:url';

/** Where the .proto files of this room lie; packages import each other from there. */
const PROTO_DIRECTORY = fileURLToPath(new URL('../../proto', import.meta.url));

/** How files are read on both sides: names in camelCase, 64-bit numbers as text, fields that were not sent as their defaults. */
export const PROTO_OPTIONS = {
  keepCase: false,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [PROTO_DIRECTORY],
};
