import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedPath, hasProgram, keepInCache, runProgram } from './tool-cache.js';

/** The interpreter that Debian's packages are built for, whatever else is first in the path. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

/** Where Debian puts libraries. */
const LIBRARIES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'usr/lib/x86_64-linux-gnu',
  arm64: 'usr/lib/aarch64-linux-gnu',
};

/** Where Python and the linker find Swift and what it needs. */
export interface SwiftPackages {
  readonly PYTHONPATH: string;
  readonly LD_LIBRARY_PATH: string;
}

/** What keeps Swift from being fetched here: programs that are missing. */
export function missingForSwift(): readonly string[] {
  if (!existsSync(DEBIAN_PYTHON)) return [`no ${DEBIAN_PYTHON}`];
  if (existsSync(cachedPath(cacheName()))) return [];
  return ['apt-get', 'dpkg-deb'].filter((program) => !hasProgram(program)).map((program) => `no ${program}`);
}

/**
 * Debian's Swift with everything it needs that is not installed: fetched once, unpacked into the cache, installed nowhere.
 * Needs no rights.
 */
export async function fetchSwift(): Promise<SwiftPackages> {
  const root = await keepInCache(cacheName(), unpackSwift);
  return {
    PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
    LD_LIBRARY_PATH: join(root, LIBRARIES[process.arch] ?? 'usr/lib'),
  };
}

/** Packages of one release of Debian do not run on another one. */
function cacheName(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const [, id = 'unknown'] = /^VERSION_CODENAME=(\w+)/m.exec(release) ?? [];
  return `swift-${id}-${process.arch}`;
}

async function unpackSwift(root: string): Promise<void> {
  const work = join(root, 'fetched');
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  const options = await packageLists(work);
  await runProgram('apt-get', ['download', '-qq', ...options, ...(await packagesOf(options))], { directory: work });
  for (const file of await readdir(work)) {
    if (file.endsWith('.deb')) await runProgram('dpkg-deb', ['-x', join(work, file), root]);
  }
  await rm(work, { recursive: true });
}

/** Options for apt: none where the system's package lists are there, else those that make it use lists fetched for this. */
async function packageLists(work: string): Promise<readonly string[]> {
  const bare = ['-o', 'APT::Sandbox::User=root'];
  try {
    await packagesOf(bare);
    return bare;
  } catch {
    const own = [...bare, '-o', `Dir::State::lists=${join(work, 'lists')}`];
    await runProgram('apt-get', ['update', '-qq', ...own]);
    return own;
  }
}

/** Swift and what is not installed of all that it needs. */
async function packagesOf(options: readonly string[]): Promise<readonly string[]> {
  const asked = ['install', '--print-uris', '-qq', '--no-install-recommends', ...options, 'python3-swift'];
  const uris = await runProgram('apt-get', asked);
  return uris.split('\n').flatMap((line) => /^'[^']+' ([^_]+)_/.exec(line)?.[1] ?? []);
}
