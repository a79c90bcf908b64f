import { hasProgram, runCommand } from '../machine/run-command.js';
import type { Absence, Contender } from './contender.js';
import { launchDistribution } from './launch-distribution.js';

/** Debian's package `docker-registry`: distribution 2.8. */
export async function findDockerRegistry(): Promise<Contender | Absence> {
  const name = 'docker-registry';
  if (!hasProgram(name)) return { name, reason: 'not installed (apt-get install docker-registry)' };
  if (!hasProgram('openssl', 'version'))
    return { name, reason: 'openssl is not installed; it makes the certificate of its tokens' };
  const version = (await runCommand(name, ['--version'])).trim().split(' ').slice(1).join(' ');
  return {
    name,
    description: `${version}, ES256 tokens by rootcertbundle`,
    isRegistry: true,
    launch: async (place) => {
      const rootcertbundle = await place.issuer.certificateFile();
      return launchDistribution({ program: name, trust: { rootcertbundle } }, place);
    },
  };
}
