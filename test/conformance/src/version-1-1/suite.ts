import { assess } from '../ledger/ledger.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Bench, Chapter } from './bench.js';
import { discoveryChapters } from './discovery.js';
import { managementChapters } from './management.js';
import { pullChapters } from './pull.js';
import { pushChapters } from './push.js';

/**
 * Every specification of the v1.1.1 suite in its four categories, in its order. Left out are the two that read prepared
 * content from the environment in place of a set-up: they assert nothing.
 */
const chapters: readonly Chapter[] = [...pullChapters, ...pushChapters, ...discoveryChapters, ...managementChapters];

/** Runs the suite; each step is one assertion by the title it has there. */
export async function runTaggedSuite(bench: Bench, ledger: Ledger): Promise<void> {
  for (const { group, steps } of chapters) {
    for (const step of steps) {
      const label = { suite: 'v1.1.1', group, name: step.title, clause: step.clause } as const;
      await assess(ledger, label, () => step.run(bench));
    }
  }
}
