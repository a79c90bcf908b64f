import { Mismatch } from '../ledger/outcome.js';
import { describe, expectReply, headerOf, readJson } from '../wire/expect.js';
import { target, withQuery } from '../wire/target.js';
import { examinePaging } from './paging.js';
import type { Rule } from './rules.js';

/** What listings must do with numbers, pages and digests. */
export const listingRules: readonly Rule[] = [
  {
    name: 'n=0 returns no tags and no Link',
    clause: 'end-8b, Listing Tags',
    async run({ trial }) {
      const url = withQuery(target(trial.registry, trial.repository, 'tags/list'), { n: '0' });
      const reply = await trial.client.send({ method: 'GET', url });
      expectReply(reply, { status: [200] });
      const { tags } = readJson(reply);
      if (!Array.isArray(tags) || tags.length > 0) throw new Mismatch(`${describe(reply)}: ${JSON.stringify(tags)}`);
      if (headerOf(reply, 'Link') !== undefined) throw new Mismatch(`${describe(reply)}: a Link leads on from nothing`);
    },
  },
  {
    name: 'pages of one tag hold every tag once, in order, and the last one has no Link',
    clause: 'end-8b, Listing Tags',
    run: ({ trial }) => examinePaging(trial, 1),
  },
  {
    name: 'pages of two tags hold every tag once, in order, and the last one has no Link',
    clause: 'end-8b, Listing Tags',
    run: ({ trial }) => examinePaging(trial, 2),
  },
  ...['-1', 'many'].map((n): Rule => ({
    name: `n=${n} is refused with 400`,
    clause: 'end-8b, Listing Tags (Docker: PAGINATION_NUMBER_INVALID)',
    async run({ trial }) {
      const url = withQuery(target(trial.registry, trial.repository, 'tags/list'), { n });
      expectReply(await trial.client.send({ method: 'GET', url }), { status: [400] });
    },
  })),
  {
    name: 'the referrers of a malformed digest are refused with 400',
    clause: 'end-12a, Listing Referrers',
    async run({ trial }) {
      const url = target(trial.registry, trial.repository, 'referrers/sha256:baddigeststring');
      expectReply(await trial.client.send({ method: 'GET', url }), { status: [400] });
    },
  },
  {
    name: 'a malformed digest in a blob path is refused with 400 or 404',
    clause: 'end-2, Pulling blobs',
    async run({ trial }) {
      const url = target(trial.registry, trial.repository, 'blobs/sha256:baddigeststring');
      expectReply(await trial.client.send({ method: 'GET', url }), { status: [400, 404] });
    },
  },
];
