import { deleteManifest, purgeManifest, restoreManifest } from '@entrepot/content';
import type { Command } from 'commander';
import { readDigestReference, type DigestReference } from '../undo/parse-reference.js';
import { withContent } from '../undo/with-content.js';
import type { CommandContext } from './context.js';

/** `manifest delete|restore`. */
export function addManifestCommands(program: Command, { source, write }: CommandContext): void {
  const manifest = program.command('manifest').description('manifests by digest');
  manifest
    .command('delete')
    .description('delete a manifest with its tags; it can be restored for a time (ENTREPOT_GC_UNDO)')
    .argument('<manifest>', 'such as acme/app@sha256:…', readDigestReference)
    .option('--purge', 'remove it for good, deleted before or not, with the entries that only it lists')
    .action(async ({ repository, digest }: DigestReference, { purge }: { purge?: true }) => {
      const gone = await withContent(source, async ({ roomOf }) => {
        const room = await roomOf(repository);
        if (purge) return (await purgeManifest(room, digest)).digests;
        await deleteManifest(room.work, room, digest);
        return [digest];
      });
      for (const one of gone) write(`${purge ? 'purged' : 'deleted'} ${repository}@${one}\n`);
    });
  manifest
    .command('restore')
    .description('give a deleted manifest back, and of an index all its entries')
    .argument('<manifest>', 'such as acme/app@sha256:…', readDigestReference)
    .action(async ({ repository, digest }: DigestReference) => {
      const { manifests } = await withContent(source, async ({ roomOf }) =>
        restoreManifest(await roomOf(repository), digest),
      );
      for (const restored of manifests) write(`restored ${repository}@${restored.digest}\n`);
    });
}
