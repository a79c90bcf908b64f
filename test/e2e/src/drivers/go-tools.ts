import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runCommand, type CommandResult } from '../world/run-command.js';
import type { ClientKind } from './client.js';

/** Programs that distributions do not package, built from the Go module proxy. */
const GO_TOOLS = {
  crane: {
    module: 'github.com/google/go-containerregistry@v0.22.1',
    path: 'github.com/google/go-containerregistry/cmd/crane',
  },
  regctl: { module: 'github.com/regclient/regclient@v0.11.7', path: 'github.com/regclient/regclient/cmd/regctl' },
  oras: { module: 'oras.land/oras@v1.2.3', path: 'oras.land/oras/cmd/oras' },
  helm: { module: 'helm.sh/helm/v3@v3.19.0', path: 'helm.sh/helm/v3/cmd/helm' },
  cosign: { module: 'github.com/sigstore/cosign/v2@v2.6.1', path: 'github.com/sigstore/cosign/v2/cmd/cosign' },
} as const;

export type GoTool = keyof typeof GO_TOOLS;

/** Builds are kept between runs, by version. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'entrepot-e2e');

/**
 * Path of the built program; undefined, with a notice, where it cannot be built here before `deadlineMs` (of
 * `performance.now`): none of these is asked for. What was compiled until then serves the next run.
 */
export async function buildGoTool(tool: GoTool, deadlineMs: number): Promise<string | undefined> {
  const { module, path } = GO_TOOLS[tool];
  const built = join(CACHE, `${tool}-${module.split('@')[1]}`);
  if (existsSync(built)) return built;
  await mkdir(CACHE, { recursive: true });
  const directory = await mkdtemp(join(CACHE, 'build-'));
  try {
    const output = join(directory, tool);
    const failed = await firstFailure(directory, deadlineMs, [
      ['go', 'mod', 'init', 'tools'],
      // By the module's path: the proxy is not asked for each part of the program's path.
      ['go', 'get', module],
      ['go', 'build', '-mod=mod', '-o', output, path],
    ]);
    if (failed === undefined) await rename(output, built);
    else console.warn(`${tool} is not tried, it cannot be built here: ${failed.command}: ${failed.output.slice(-500)}`);
    return failed === undefined ? built : undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function firstFailure(
  directory: string,
  deadlineMs: number,
  commands: readonly string[][],
): Promise<CommandResult | undefined> {
  const { HOME = '', GOPROXY, GOCACHE, GOMODCACHE, GOFLAGS } = process.env;
  const settings = Object.entries({ HOME, GOPROXY, GOCACHE, GOMODCACHE, GOFLAGS });
  const environment = Object.fromEntries(settings.filter((entry): entry is [string, string] => entry[1] !== undefined));
  for (const command of commands) {
    const timeoutMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
    const result = await runCommand(command, { environment, directory, timeoutMs });
    if (result.code !== 0) return result;
  }
  return undefined;
}

type RunTool = (args: readonly string[], input?: string) => Promise<CommandResult>;

/** A tool with everything that it keeps below `home`. */
export function goToolIn(program: string, home: string): RunTool {
  const environment = {
    HOME: home,
    DOCKER_CONFIG: home,
    XDG_CONFIG_HOME: home,
    XDG_CACHE_HOME: home,
    COSIGN_PASSWORD: '',
    // cosign would ask the world for trust roots; nothing listens here.
    TUF_MIRROR: 'http://127.0.0.1:9',
  };
  return (args, input) =>
    runCommand([program, ...args], { environment, directory: home, ...(input !== undefined && { input }) });
}

export function crane(program: string): ClientKind {
  return {
    name: 'crane',
    programs: [],
    create(home) {
      const run = goToolIn(program, home);
      return {
        login: (host, { name, password }) =>
          run(['auth', 'login', host, '--insecure', '-u', name, '--password-stdin'], password).then((stored) =>
            // The login only stores: the first use tells whether it is right.
            stored.code === 0 ? run(['catalog', '--insecure', host]) : stored,
          ),
        logout: (host) => run(['auth', 'logout', host]),
        push: ({ directory }, reference) => run(['push', '--insecure', directory, reference]),
        pull: async (reference) =>
          run(['pull', '--insecure', '--format=oci', reference, await mkdtemp(join(home, 'pulled-'))]),
      };
    },
  };
}

export function regctl(program: string): ClientKind {
  return {
    name: 'regctl',
    programs: [],
    create(home) {
      const run = goToolIn(program, home);
      return {
        login: async (host, { name, password }) => {
          await run(['registry', 'set', '--tls', 'disabled', '--skip-check', host]);
          return run(['registry', 'login', '--user', name, '--pass-stdin', host], password);
        },
        logout: async (host) => {
          await run(['registry', 'logout', host]);
          return run(['registry', 'set', '--tls', 'disabled', '--skip-check', host]);
        },
        push: ({ directory }, reference) => run(['image', 'copy', `ocidir://${directory}:latest`, reference]),
        pull: async (reference) =>
          run(['image', 'copy', reference, `ocidir://${await mkdtemp(join(home, 'pulled-'))}:latest`]),
      };
    },
  };
}

export function oras(program: string): ClientKind {
  return {
    name: 'oras',
    programs: [],
    create(home) {
      const run = goToolIn(program, home);
      return {
        login: (host, { name, password }) =>
          run(['login', '--plain-http', '--username', name, '--password-stdin', host], password),
        logout: (host) => run(['logout', host]),
        push: ({ directory }, reference) =>
          run(['cp', '--from-oci-layout', `${directory}:latest`, '--to-plain-http', reference]),
        pull: async (reference) =>
          run([
            'cp',
            '--from-plain-http',
            reference,
            '--to-oci-layout',
            `${await mkdtemp(join(home, 'pulled-'))}:latest`,
          ]),
      };
    },
  };
}
