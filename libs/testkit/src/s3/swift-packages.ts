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
  await download(work).catch(() => downloadAnew(work));
  for (const file of await readdir(work)) {
    if (file.endsWith('.deb')) await runProgram('dpkg-deb', ['-x', join(work, file), root]);
  }
  await rm(work, { recursive: true });
}

/** Fetches Swift, and what is not installed of all that it needs. */
async function download(work: string, options: readonly string[] = []): Promise<void> {
  const common = ['-qq', '-o', 'APT::Sandbox::User=root', ...options];
  const asked = ['install', '--print-uris', '--no-install-recommends', ...common, 'python3-swift'];
  const uris = await runProgram('apt-get', asked);
  const packages = uris.split('\n').flatMap((line) => /^'[^']+' ([^_]+)_/.exec(line)?.[1] ?? []);
  if (packages.length > 0) await runProgram('apt-get', ['download', ...common, ...packages], { directory: work });
}

/** With lists of our own: those of the system may be missing, or speak of packages that were replaced. */
async function downloadAnew(work: string): Promise<void> {
  const lists = ['-o', `Dir::State::lists=${join(work, 'lists')}`];
  await runProgram('apt-get', ['update', '-qq', '-o', 'APT::Sandbox::User=root', ...lists]);
  await download(work, lists);
}
