import type { Group } from './group.js';

/** The product broke a promise; the storm ends with it. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(
    readonly invariant: string,
    what: string,
    group?: Group,
  ) {
    const story = group ? [`${group.owner} in ${group.repository}:`, ...group.history] : [];
    super([`${invariant}: ${what}`, ...story].join('\n  '));
  }
}
