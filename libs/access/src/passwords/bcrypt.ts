import bcrypt from 'bcrypt';

/** bcrypt looks at no more than this; a longer password would match by its beginning alone. */
const MAX_BYTES = 72;
const HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Each step doubles the work: 14 is about a second. */
const MAX_COST = 14;

/** A bcrypt hash, as htpasswd files hold them, of a bearable cost. */
export function isBcryptHash(text: string): boolean {
  const cost = Number(HASH.exec(text)?.[1]);
  return cost >= 4 && cost <= MAX_COST;
}

/** Does the hash, imported from an htpasswd file, belong to the password? */
export async function matchesBcrypt(stored: string, password: string): Promise<boolean> {
  if (Buffer.byteLength(password) > MAX_BYTES) return false;
  // $2y$ is what other implementations call $2b$ (the fixed algorithm); this one knows only the latter.
  return bcrypt.compare(password, stored.replace(/^\$2y/, '$2b'));
}
