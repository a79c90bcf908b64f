import { Mismatch } from '../ledger/outcome.js';
import type { Trial } from '../main-branch/trial.js';
import { listTags } from '../main-branch/listings.js';
import { describe, expectReply, headerOf, readJson } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { target, withQuery } from '../wire/target.js';

/** Walks the tag list in pages of `n` by following Link and compares the walk with the list fetched at once. */
export async function examinePaging(trial: Trial, n: number): Promise<void> {
  const expected = (await listTags(trial)).toSorted();
  const walked: string[] = [];
  let url: URL | undefined = withQuery(target(trial.registry, trial.repository, 'tags/list'), { n: String(n) });
  while (url !== undefined) {
    const reply: WireReply = await trial.client.send({ method: 'GET', url });
    const page = readPage(reply);
    if (page.length > n) throw new Mismatch(`${describe(reply)}: a page of ${n} holds ${page.length} tags`);
    walked.push(...page);
    url = nextOf(reply);
    if (url !== undefined && walked.length >= expected.length) {
      throw new Mismatch(`${describe(reply)}: a Link leads on after the last tag`);
    }
  }
  if (walked.join(' ') !== expected.join(' ')) throw new Mismatch(`the pages hold ${walked.join(' ')}`);
}

function readPage(reply: WireReply): readonly string[] {
  expectReply(reply, { status: [200] });
  const { tags } = readJson(reply);
  if (!Array.isArray(tags)) throw new Mismatch(`${describe(reply)}: "tags" is no list`);
  return tags.map(String);
}

/** The target of `<url>; rel="next"`, resolved against the request. */
function nextOf(reply: WireReply): URL | undefined {
  const link = headerOf(reply, 'Link');
  if (link === undefined) return undefined;
  const next = /^<([^>]+)>\s*;\s*rel="?next"?$/.exec(link)?.[1];
  if (next === undefined) throw new Mismatch(`${describe(reply)}: Link is ${link}`);
  return new URL(next, reply.url);
}
