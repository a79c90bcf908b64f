import { parseUntaggedRule, type UntaggedRule, type UntaggedRules } from '@entrepot/content';
import { PostgresUntaggedRules, createPool } from '@entrepot/metadata';
import { InvalidArgumentError, type Command } from 'commander';
import { listAll } from '../administration/list-all.js';
import { operatorName, ownerSettings } from '../administration/open-administration.js';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { withDatabase } from '../administration/with-database.js';
import { CommandFailure } from '../exit-codes.js';
import type { SettingsSource } from '../standalone/settings.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

/** `namespace list|set-untagged`. */
export function addNamespaceCommands(program: Command, { source, write }: CommandContext): void {
  const namespace = program.command('namespace').description('rules of namespaces');
  namespace
    .command('list')
    .description('list all namespaces, and how long each keeps untagged manifests')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const found = await withRules(source, (rules) =>
        listAll(
          (page) => rules.list(page),
          ({ name }) => name,
        ),
      );
      write(formatList(found, options));
    });
  namespace
    .command('set-untagged')
    .description('say how long untagged manifests stay that nobody pushes or pulls')
    .argument('<name>', 'the namespace')
    .argument('<rule>', 'keep, a duration such as 30d, or default: what ENTREPOT_GC_UNTAGGED says', readRule)
    .action(async (name: string, rule: UntaggedRule) => {
      const isKnown = await withRules(source, (rules) => rules.set(name, rule, `cli:${operatorName()}`));
      if (!isKnown) throw new CommandFailure('refused', `there is no namespace ${name}`);
      write(`untagged manifests of ${name}: ${rule}\n`);
    });
}

function readRule(text: string): UntaggedRule {
  const rule = parseUntaggedRule(text);
  if (rule === undefined)
    throw new InvalidArgumentError('It must be keep, default, or a duration such as 15s, 2h or 30d.');
  return rule;
}

function withRules<T>(source: SettingsSource, work: (rules: UntaggedRules) => Promise<T>): Promise<T> {
  return withDatabase(source, async (url) => {
    await refuseOldSchema(url);
    const pool = createPool(ownerSettings(url));
    try {
      return await work(new PostgresUntaggedRules(pool));
    } finally {
      await pool.end();
    }
  });
}
