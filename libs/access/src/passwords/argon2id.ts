import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/** OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane; about 40 ms. */
const CURRENT = { memoryKib: 19_456, passes: 2, lanes: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** PHC string format. The bounds keep a stored hash from costing minutes. */
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** A new hash of the password as a PHC string. */
export async function hashArgon2id(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, CURRENT);
  const cost = `m=${CURRENT.memoryKib},t=${CURRENT.passes},p=${CURRENT.lanes}`;
  return `$argon2id$v=19$${cost}$${encode(salt)}$${encode(hash)}`;
}

/** Does the PHC string hold a hash of the password? False where it is none of argon2id. */
export async function matchesArgon2id(stored: string, password: string): Promise<boolean> {
  const [, memory, passes, lanes, salt = '', hash = ''] = PHC.exec(stored) ?? [];
  if (memory === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const cost = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  const actual = await derive(password, Buffer.from(salt, 'base64'), cost, expected.length);
  return timingSafeEqual(actual, expected);
}

/** Made with less than today's cost. */
export function isOutdatedArgon2id(stored: string): boolean {
  const [, memory, passes] = PHC.exec(stored) ?? [];
  return Number(memory) < CURRENT.memoryKib || Number(passes) < CURRENT.passes;
}

/** Does the work of one comparison and matches nothing. */
export async function matchNothing(password: string): Promise<false> {
  await derive(password, randomBytes(SALT_BYTES), CURRENT);
  return false;
}

function derive(password: string, salt: Uint8Array, cost: Cost, tagLength = HASH_BYTES): Promise<Buffer> {
  const parameters = {
    message: password,
    nonce: salt,
    parallelism: cost.lanes,
    tagLength,
    memory: cost.memoryKib,
    passes: cost.passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
