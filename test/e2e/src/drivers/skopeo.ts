import { join } from 'node:path';
import { mkdtemp } from 'node:fs/promises';
import { runCommand } from '../world/run-command.js';
import type { ClientKind } from './client.js';

/** All images of an index, and the bytes of manifests unchanged. */
const AS_IS = ['--all', '--preserve-digests'];

export const skopeo = skopeoThat();
/** skopeo as scripts run it where a registry may be restarted meanwhile. */
export const persistentSkopeo = skopeoThat('--retry-times=5');

function skopeoThat(...options: readonly string[]): ClientKind {
  return {
    name: 'skopeo',
    programs: ['skopeo'],
    create(home) {
      const run = skopeoIn(home);
      const copy = (...args: readonly string[]) => run(['copy', ...AS_IS, ...options, ...args]);
      return {
        login: (host, { name, password }) =>
          run(['login', '--tls-verify=false', '--username', name, '--password-stdin', host], password),
        logout: (host) => run(['logout', host]),
        push: ({ directory }, reference) =>
          copy('--dest-tls-verify=false', `oci:${directory}:latest`, `docker://${reference}`),
        pull: async (reference) => {
          const directory = await mkdtemp(join(home, 'pulled-'));
          return copy('--src-tls-verify=false', `docker://${reference}`, `oci:${directory}:latest`);
        },
      };
    },
  };
}

/** skopeo with its credentials and its memory of blobs below `home`. */
export function skopeoIn(home: string) {
  const environment = { HOME: home, REGISTRY_AUTH_FILE: join(home, 'auth.json'), XDG_DATA_HOME: join(home, 'share') };
  return (args: readonly string[], input?: string) =>
    runCommand(['skopeo', '--insecure-policy', ...args], { environment, ...(input !== undefined && { input }) });
}
