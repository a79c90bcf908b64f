import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustSucceed, runCommand } from '../world/run-command.js';
import type { ClientKind } from './client.js';

/** podman and buildah share their words for all of this. */
function containersTool(name: 'podman' | 'buildah'): ClientKind {
  return {
    name,
    programs: [name],
    async create(home) {
      const run = await containersToolIn(name, home);
      return {
        login: (host, account) =>
          run(['login', '--tls-verify=false', '--username', account.name, '--password-stdin', host], account.password),
        logout: (host) => run(['logout', host]),
        push: async ({ directory }, reference) => {
          const pulled = mustSucceed(await run(['pull', '--quiet', `oci:${directory}:latest`]));
          const imageId = pulled.stdout.trim().split('\n').at(-1) ?? '';
          return run(['push', '--tls-verify=false', imageId, `docker://${reference}`]);
        },
        pull: async (reference) => {
          await run(['rmi', '--force', '--all']);
          return run(['pull', '--tls-verify=false', reference]);
        },
      };
    },
  };
}

/** podman or buildah with images, credentials and everything else below `home`. */
export async function containersToolIn(name: 'podman' | 'buildah', home: string) {
  const authFile = join(home, 'auth.json');
  // Both insist that the file exists, even where it says nothing.
  await writeFile(authFile, '{}');
  const environment = { HOME: home, REGISTRY_AUTH_FILE: authFile, TMPDIR: home };
  const storage = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const own = name === 'podman' ? ['--cgroup-manager', 'cgroupfs', '--events-backend', 'file'] : [];
  return (args: readonly string[], input?: string) =>
    runCommand([name, ...storage, ...own, ...args], { environment, ...(input !== undefined && { input }) });
}

export const podman = containersTool('podman');
export const buildah = containersTool('buildah');
