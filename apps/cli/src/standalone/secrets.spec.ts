import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureSecrets, generatePassword } from './secrets.js';
import { completeSettings, prepareSecrets, readSettings } from './settings.js';

let top: string;
let directory: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'secrets-'));
  directory = join(top, 'secrets');
});

afterEach(() => rm(top, { recursive: true, force: true }));

const both = { wanted: ['ENTREPOT_HTTP_SECRET', 'ENTREPOT_SECRETS_KEY'], mayLackKey: true } as const;

function ensureKept() {
  return ensureSecrets(directory, { ...both, mayLackKey: false });
}

/** Settings that name nothing but the data directory. */
function environment() {
  return { ENTREPOT_DATA_DIR: top };
}

describe('ensureSecrets', () => {
  it('generates each once, readable by the owner only', async () => {
    const first = ensureSecrets(directory, both);
    expect(ensureKept()).toEqual(first);
    expect(first.ENTREPOT_HTTP_SECRET).not.toBe(first.ENTREPOT_SECRETS_KEY);
    for (const file of ['http-secret', 'secrets-key']) {
      expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  it('does not hide that the key of an existing database is lost', () => {
    expect(ensureKept).toThrow(/secrets-key is missing, and the database holds what it sealed; restore the file/);
  });
});

describe('the settings of a standalone start', () => {
  it('take generated secrets where none are given, and a ring from the file', async () => {
    const given = readSettings({ environment: environment() });
    expect(given.missing).toEqual(both.wanted);
    const supplied = prepareSecrets(given, true);
    await writeFile(
      join(directory, 'http-secret'),
      `${'fresh-0123456789'.repeat(3)},${supplied['ENTREPOT_HTTP_SECRET']}\n`,
    );
    const config = completeSettings({ environment: environment() }, prepareSecrets(given, false));
    expect(config.http.secret).toHaveLength(2);
    expect(config.http.secret[1]?.reveal()).toBe(supplied['ENTREPOT_HTTP_SECRET']);
  });

  it('leave given secrets alone and generate only the others', async () => {
    const source = { environment: { ...environment(), ENTREPOT_HTTP_SECRET: 'given-0123456789-abcdefghij-klmnop' } };
    const given = readSettings(source);
    expect(given.missing).toEqual(['ENTREPOT_SECRETS_KEY']);
    prepareSecrets(given, true);
    await expect(readFile(join(directory, 'http-secret'))).rejects.toThrow('ENOENT');
  });

  it('are refused as a whole before anything is made', async () => {
    const source = { environment: { ...environment(), ENTREPOT_HTTP_PROT: '1', ENTREPOT_HTTP_SECRET: 'short' } };
    expect(() => readSettings(source)).toThrow(/ENTREPOT_HTTP_PROT.*ENTREPOT_HTTP_PORT[^]*ENTREPOT_HTTP_SECRET/);
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });
});

describe('generatePassword', () => {
  it('makes passwords that are long, alike in shape and never the same', () => {
    const made = Array.from({ length: 100 }, generatePassword);
    expect(new Set(made).size).toBe(100);
    for (const password of made) expect(password).toMatch(/^([a-z2-9]{6}-){3}[a-z2-9]{6}$/);
  });
});
