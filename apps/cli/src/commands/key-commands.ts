import { tokenSection } from '@entrepot/access';
import { loadConfig, secretsSection } from '@entrepot/runtime';
import type { Command } from 'commander';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { rotateKeys } from '../administration/rotate-keys.js';
import { withDatabase } from '../administration/with-database.js';
import { dataPaths } from '../standalone/data-directory.js';
import { dataSection } from '../standalone/sections.js';
import { readSecrets } from '../standalone/secrets.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';
import type { CommandContext } from './context.js';

/** `keys rotate`. */
export function addKeyCommands(program: Command, { source, write }: CommandContext): void {
  program
    .command('keys')
    .description('keys that sign tokens')
    .command('rotate')
    .description('give the key that signs tokens a successor before its time; tokens stay good')
    .action(async () => {
      const config = readKeySettings(source);
      const successor = await withDatabase(source, async (url) => {
        await refuseOldSchema(url);
        return rotateKeys(url, { ring: config.secrets.key, rotationMs: config.token.keyRotation });
      });
      write(
        successor === undefined
          ? 'a successor waits already; nothing was changed\n'
          : `key ${successor.kid} signs from ${new Date(successor.signsFromMs).toISOString()} on\n`,
      );
    });
}

/** In standalone the ring is the one that the first start made. */
function readKeySettings(source: SettingsSource) {
  const known = { ...source, known: standaloneSections };
  const { data } = loadConfig([dataSection], known);
  return loadConfig([secretsSection, tokenSection], { ...known, supplied: readSecrets(dataPaths(data.dir).secrets) });
}
