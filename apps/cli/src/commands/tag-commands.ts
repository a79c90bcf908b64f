import { deleteTag, purgeTag, restoreTag, type TagGoal } from '@entrepot/content';
import { Option, type Command } from 'commander';
import { listAll } from '../administration/list-all.js';
import {
  readChangeId,
  readCount,
  readDigest,
  readHistoryReference,
  readTagReference,
  readTime,
  type TagReference,
} from '../undo/parse-reference.js';
import { showHistory, type ShowHistory } from '../undo/show-history.js';
import { withContent } from '../undo/with-content.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

/** `tag list|history|delete|restore`. */
export function addTagCommands(program: Command, context: CommandContext): void {
  const tag = program.command('tag').description('tags, and what they meant');
  addListings(tag, context);
  addChanges(tag, context);
}

function addListings(tag: Command, { source, write, tell }: CommandContext): void {
  tag
    .command('list')
    .description('list the tags of a repository')
    .argument('<repository>', 'such as acme/app', readHistoryReference)
    .option('--json', 'print JSON')
    .action(async ({ repository }: ShowHistory['of'], options: { json?: true }) => {
      const names = await withContent(source, async ({ reader, roomOf }) => {
        const { repositoryId } = await roomOf(repository);
        return listAll(
          (page) => reader.tags(repositoryId, page),
          (name) => name,
        );
      });
      write(
        formatList(
          names.map((name) => ({ tag: name })),
          options,
        ),
      );
    });
  tag
    .command('history')
    .description('show what tags meant, who changed them and when, newest first')
    .argument('<reference>', 'a tag such as acme/app:v1, or a repository', readHistoryReference)
    .addOption(new Option('--limit <count>', 'how many changes').default(100).argParser(readCount))
    .addOption(new Option('--before <id>', 'go on after the change of this id').argParser(readChangeId))
    .option('--json', 'print JSON')
    .action(async (of: ShowHistory['of'], options: Omit<ShowHistory, 'of'>) => {
      const next = await showHistory(source, { of, ...options }, write);
      if (next !== undefined) tell(`there are older ones: --before ${next}\n`);
    });
}

function addChanges(tag: Command, { source, write }: CommandContext): void {
  tag
    .command('delete')
    .description('delete a tag; it can be restored for a time (ENTREPOT_GC_UNDO)')
    .argument('<tag>', 'such as acme/app:v1', readTagReference)
    .option('--purge', 'remove it for good with its history, and its manifest where nothing else needs that')
    .action(async (reference: TagReference, { purge }: { purge?: true }) => {
      const { repository, tag: name } = reference;
      const purged = await withContent(source, async ({ roomOf }) => {
        const room = await roomOf(repository);
        if (purge) return (await purgeTag(room, name)).digests;
        await deleteTag(room.work, room, name);
        return [];
      });
      write(`${purge ? 'purged' : 'deleted'} the tag ${repository}:${name}\n`);
      for (const digest of purged) write(`purged ${repository}@${digest}\n`);
    });
  tag
    .command('restore')
    .description('point a tag at what it meant, by default before its last change')
    .argument('<tag>', 'such as acme/app:v1', readTagReference)
    .addOption(new Option('--digest <digest>', 'what it meant once').argParser(readDigest).conflicts('at'))
    .addOption(new Option('--at <time>', 'what it meant then, such as 2026-01-31T18:00:00Z').argParser(readTime))
    .action(async ({ repository, tag: name }: TagReference, goal: TagGoal) => {
      const { digest, manifests, isChanged } = await withContent(source, async ({ roomOf }) =>
        restoreTag(await roomOf(repository), name, goal),
      );
      write(`${repository}:${name} ${isChanged ? 'is' : 'was already'} ${digest}\n`);
      for (const restored of manifests) write(`restored ${repository}@${restored.digest}\n`);
    });
}
