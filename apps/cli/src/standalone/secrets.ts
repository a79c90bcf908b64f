import { randomBytes, randomInt } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CommandFailure } from '../exit-codes.js';

/** Settings that a standalone Entrepot makes for itself, and the files below `secrets/` that keep them. */
export const GENERATED_SECRETS = {
  ENTREPOT_HTTP_SECRET: 'http-secret',
  ENTREPOT_SECRETS_KEY: 'secrets-key',
} as const;

export type GeneratedSecret = keyof typeof GENERATED_SECRETS;

/** Reads the generated secrets that exist, by variable name. A file may hold a ring: newest first, comma-separated. */
export function readSecrets(directory: string): Partial<Record<GeneratedSecret, string>> {
  const found: Partial<Record<GeneratedSecret, string>> = {};
  for (const [variable, file] of Object.entries(GENERATED_SECRETS) as [GeneratedSecret, string][]) {
    const path = join(directory, file);
    if (existsSync(path)) found[variable] = readFileSync(path, 'utf8').trim();
  }
  return found;
}

/**
 * Returns the secrets that are kept, generating each wanted one that has no file yet: whole or not at all, on disk
 * before it is used. `mayLackKey` is false once the database keeps sealed values: what a lost ENTREPOT_SECRETS_KEY sealed would never
 * open again, and a new one must not hide that.
 */
export function ensureSecrets(
  directory: string,
  { wanted, mayLackKey }: { readonly wanted: readonly GeneratedSecret[]; readonly mayLackKey: boolean },
): Partial<Record<GeneratedSecret, string>> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const secrets = readSecrets(directory);
  for (const variable of wanted) {
    if (secrets[variable] !== undefined) continue;
    const path = join(directory, GENERATED_SECRETS[variable]);
    if (variable === 'ENTREPOT_SECRETS_KEY' && !mayLackKey) {
      const message = `${path} is missing, and the database holds what it sealed; restore the file or set ${variable}`;
      throw new CommandFailure('config', message);
    }
    const text = randomBytes(32).toString('base64url');
    writeWhole(path, `${text}\n`);
    secrets[variable] = text;
  }
  return secrets;
}

/** A password that is easy to copy by hand: 24 letters and digits without look-alikes, 118 bits. */
export function generatePassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}

function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.unfinished`;
  writeFileSync(unfinished, text, { mode: 0o600, flush: true });
  renameSync(unfinished, path);
  const directory = openSync(join(path, '..'), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
