import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.js';
import { openDataDirectory } from './data-directory.js';

let top: string;
let dir: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'data-directory-'));
  dir = join(top, 'data');
});

afterEach(() => rm(top, { recursive: true, force: true }));

function open() {
  return openDataDirectory({ dir, minFreeBytes: 0 });
}

/** Another process that takes the data directory and says how that went, then waits. */
async function startOwner() {
  const script = `import { openDataDirectory } from '${new URL('../../dist/standalone/data-directory.js', import.meta.url).href}';
    try { openDataDirectory({ dir: process.argv[1], minFreeBytes: 0 }); process.stdout.write('owner'); setInterval(() => {}, 1000); }
    catch (error) { process.stdout.write(error.reason); }`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, said: said.toString() };
}

describe('openDataDirectory', () => {
  it('makes the directory, closed to listing by others', async () => {
    const opened = open();
    expect((await stat(dir)).mode & 0o066).toBe(0);
    expect(await readFile(opened.paths.lock, 'utf8')).toBe(`${process.pid}\n`);
    opened.release();
  });

  it('names the process that owns it, and is free again when that was killed', async () => {
    const { owner, said } = await startOwner();
    expect(said).toBe('owner');
    expect(open).toThrow(`another instance (pid ${owner.pid}) owns ${dir}`);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    open().release();
  });

  it('has one owner however many start at once', async () => {
    const started = await Promise.all([1, 2, 3, 4].map(startOwner));
    expect(started.map(({ said }) => said).sort()).toEqual(['owned', 'owned', 'owned', 'owner']);
    for (const { owner } of started) owner.kill('SIGKILL');
  });

  it('says what to do when the disk has too little space, and leaves it unowned', () => {
    const openDemanding = () => openDataDirectory({ dir, minFreeBytes: Number.MAX_SAFE_INTEGER });
    expect(openDemanding).toThrow(/is full: \d+ MiB free, \d+ MiB needed; free some space, or set ENTREPOT_DATA_DIR/);
    const lock = lockDirectory(join(dir, 'lock'));
    expect(lock).toHaveProperty('release');
    if ('release' in lock) lock.release();
  });

  it('says what to do when it cannot be made', () => {
    dir = '/proc/entrepot/data';
    expect(open).toThrow(
      /data directory \/proc\/entrepot\/data is not writable by user \d+ \(ENOENT\); make it so, or/,
    );
    expect(open).toThrow(expect.objectContaining({ reason: 'directory' }) as Error);
  });
});
