import { createDataSet } from '../data/data-set.js';
import { addImage } from '../data/images.js';
import { assess } from '../ledger/ledger.js';
import { pushDataSet, removeDataSet } from '../main-branch/content-suite.js';
import { listTags } from '../main-branch/listings.js';
import type { Trial } from '../main-branch/trial.js';
import { listingRules } from './listings.js';
import { extraTagPattern, manifestRules } from './manifests.js';
import type { Rule, Stage } from './rules.js';
import { uploadRules } from './uploads.js';

const ruleGroups: Readonly<Record<string, readonly Rule[]>> = {
  uploads: uploadRules,
  listings: listingRules,
  manifests: manifestRules,
};

const stageTags = ['a', 'B', 'a.b', 'a-b', 'A_b'].map((tag) => `beyond-${tag}`);

/** Rules of the specification's text that neither official program asks about, with the mistakes that clients make. */
export async function runBeyondSuite(trial: Trial): Promise<void> {
  const set = createDataSet();
  for (const tag of stageTags) addImage(set, { tag, layerCount: 1 });
  // Setting the stage and clearing it is no assertion; what goes wrong there shows in the rules.
  const behind: Trial = { ...trial, ledger: [] };
  await pushDataSet({ trial: behind, group: 'beyond' }, set, false);
  for (const [group, rules] of Object.entries(ruleGroups)) {
    for (const { name, clause, run } of rules) {
      await assess(trial.ledger, { suite: 'beyond', group, name, clause }, () => run({ trial, set }));
    }
  }
  const label = { suite: 'beyond', group: 'beyond', name: 'clear the stage', clause: 'end-9' } as const;
  await assess(behind.ledger, label, () => clearStage({ trial: behind, set }));
}

async function clearStage({ trial, set }: Stage): Promise<void> {
  const extraTags = (await listTags(trial)).filter((tag) => extraTagPattern.test(tag));
  await removeDataSet({ trial, group: 'beyond' }, set, new Set([...extraTags, ...set.tags.keys()]));
}
