import { checkNewNamespaceName } from '../accounts/namespace-name.js';
import { AccessError } from '../errors.js';
import { isBcryptHash } from '../passwords/bcrypt.js';
import type { Administration } from './administration.js';
import { insertAccount } from './create-account.js';

/** What became of each line. */
export interface HtpasswdImport {
  readonly created: readonly string[];
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

interface HtpasswdEntry {
  readonly name: string;
  readonly passwordHash: string;
}

/**
 * Makes a user of each `name:hash` line; hashes are bcrypt's (`htpasswd -B`), replaced by argon2id at the first login.
 * Lines that cannot be taken are told with their number and do not hinder the others; existing users are left alone.
 */
export async function importHtpasswd({ store, actor }: Administration, text: string): Promise<HtpasswdImport> {
  const created: string[] = [];
  const refused: { line: number; reason: string }[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    try {
      const entry = parseEntry(line);
      await store.run((tx) => insertAccount(tx, actor, { ...entry, isAdmin: false }));
      created.push(entry.name);
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
      refused.push({ line: index + 1, reason: error.message });
    }
  }
  return { created, refused };
}

function parseEntry(line: string): HtpasswdEntry {
  const colon = line.indexOf(':');
  if (colon < 0) throw new AccessError('HTPASSWD_INVALID', 'not of the form name:hash');
  const name = line.slice(0, colon);
  const passwordHash = line.slice(colon + 1).trim();
  checkNewNamespaceName(name);
  if (!isBcryptHash(passwordHash)) {
    throw new AccessError('HTPASSWD_INVALID', 'the hash is not bcrypt of cost 4 to 14; make it with htpasswd -B');
  }
  return { name, passwordHash };
}
