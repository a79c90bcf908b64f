import type { StoredManifest } from '../data/data-set.js';
import { acceptManifests } from '../main-branch/manifests.js';
import { listTags } from '../main-branch/listings.js';
import { Mismatch, Unsupported } from '../ledger/outcome.js';
import { expectReply } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { target, withQuery } from '../wire/target.js';
import type { Rule, Stage } from './rules.js';

const manyTags = Array.from({ length: 10 }, (_, i) => `beyond-many-${i}`);
const typedTag = 'beyond-typed';

/** The tags that these rules leave behind. */
export const extraTagPattern = /^beyond-(many-\d|typed)$/;

/** What a manifest PUT must take and refuse. */
export const manifestRules: readonly Rule[] = [
  {
    name: 'ten tag parameters of one request are all set',
    clause: 'end-7b, Pushing Manifests',
    async run(stage) {
      const { trial } = stage;
      if (!trial.features.tagParameters) throw new Unsupported('the level has no end-7b');
      const manifest = manifestOf(stage);
      expectReply(await put(stage, manifest.digest, { body: manifest.body, tags: manyTags }), { status: [201] });
      const tags = new Set(await listTags(trial));
      const missing = manyTags.filter((tag) => !tags.has(tag));
      if (missing.length > 0) throw new Mismatch(`${missing.join(', ')} were not set`);
    },
  },
  {
    name: 'parameters of the Content-Type are ignored',
    clause: 'end-7a, Pushing Manifests',
    async run(stage) {
      const manifest = manifestOf(stage);
      const contentType = `${manifest.mediaType}; charset=utf-8`;
      expectReply(await put(stage, typedTag, { body: manifest.body, contentType }), { status: [201] });
      const url = target(stage.trial.registry, stage.trial.repository, `manifests/${typedTag}`);
      const reply = await stage.trial.client.send({ method: 'GET', url, headers: acceptManifests });
      expectReply(reply, { status: [200], headers: { 'Content-Type': manifest.mediaType }, body: manifest.body });
    },
  },
  ...['not json', 'null', '[]', '{"schemaVersion":2}{}'].map((text): Rule => ({
    name: `a manifest of \`${text}\` is refused with 400`,
    clause: 'end-7a, Pushing Manifests',
    run: async (stage) => expectReply(await put(stage, 'malformed', { body: Buffer.from(text) }), { status: [400] }),
  })),
];

type Manifest = { readonly body: Buffer; readonly tags?: readonly string[]; readonly contentType?: string };

function put({ trial, set }: Stage, reference: string, manifest: Manifest): Promise<WireReply> {
  const url = target(trial.registry, trial.repository, `manifests/${reference}`);
  const contentType = manifest.contentType ?? set.manifests[0]?.mediaType ?? '';
  return trial.client.send({
    method: 'PUT',
    url: manifest.tags === undefined ? url : withQuery(url, { tag: manifest.tags }),
    headers: { 'Content-Type': contentType },
    body: manifest.body,
  });
}

function manifestOf({ set }: Stage): StoredManifest {
  const [manifest] = set.manifests;
  if (manifest === undefined) throw new Error('the stage has no manifest');
  return manifest;
}
