import { createRequire } from 'node:module';
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';
import { checkWorkspace } from './rules/check-workspace.js';
import { BROKEN_WORKSPACE } from './workspace/places.js';

/** The rules about imports, which lint repeats. */
const SHARED_RULES = new Set(['arrow', 'node', 'package', 'relative', 'test-code', 'unlisted-room']);

describe('the rules of lint', () => {
  it('find in the broken workspace what the specs find', async () => {
    const breaches = checkWorkspace(BROKEN_WORKSPACE).filter(({ rule }) => SHARED_RULES.has(rule));
    const expected = new Set(breaches.map(({ rule, place }) => describeBreach(rule, place.replace(/:\d+$/, ''))));
    expect([...(await cruiseBroken())].toSorted()).toEqual([...expected].toSorted());
  });
});

/** What dependency-cruiser reports with the configuration of `npm run lint`. */
async function cruiseBroken(): Promise<Set<string>> {
  const { forbidden, options } = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs') as {
    forbidden: NonNullable<IFlattenedRuleSet['forbidden']>;
    options: ICruiseOptions;
  };
  const { output } = await cruise(['apps', 'libs'], {
    ...options,
    baseDir: BROKEN_WORKSPACE,
    validate: true,
    ruleSet: { forbidden },
  });
  const { violations } = (output as ICruiseResult).summary;
  return new Set(violations.map(({ rule, from }) => describeBreach(rule.name.split(' ')[0] ?? '', from)));
}

/** An unlisted room is one breach, and not one for each of its files. */
function describeBreach(rule: string, path: string): string {
  const place = rule === 'unlisted-room' ? path.split('/').slice(0, 2).join('/') : path;
  return `${rule}: ${place}`;
}
