import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasProgram, runCommand } from '../machine/run-command.js';
import type { Absence, Contender } from './contender.js';
import { launchDistribution } from './launch-distribution.js';

const MODULE = 'github.com/distribution/distribution/v3/cmd/registry@latest';
const BUILD_TIMEOUT_MS = 9 * 60_000;

/** Distribution v3, built once by `go install` and kept in the user's cache directory; remove it to build anew. */
export async function findDistribution(): Promise<Contender | Absence> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'entrepot-bench', 'distribution-v3');
  const program = join(cache, 'registry');
  try {
    if (!existsSync(program)) await build(cache);
    const version = (await runCommand(program, ['--version'])).trim().split(' ').slice(1).join(' ');
    return {
      name: 'distribution',
      description: `${version}, ES256 tokens by jwks`,
      isRegistry: true,
      launch: (place) => launchDistribution({ program, trust: { jwks: place.issuer.jwksFile } }, place),
    };
  } catch (cause) {
    return { name: 'distribution', reason: (cause as Error).message };
  }
}

async function build(cache: string): Promise<void> {
  if (!hasProgram('go', 'version')) throw new Error('go is not installed; it builds this peer');
  mkdirSync(cache, { recursive: true });
  process.stderr.write(`bench: building ${MODULE} (once)\n`);
  await runCommand('go', ['install', MODULE], {
    timeoutMs: BUILD_TIMEOUT_MS,
    environment: { GOBIN: cache, GOFLAGS: '' },
  });
}
