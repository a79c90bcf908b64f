import { createDataSet } from '../data/data-set.js';
import { digestOf, randomText } from '../data/digest.js';
import { addImage } from '../data/images.js';
import { expectReply } from '../wire/expect.js';
import { target } from '../wire/target.js';
import { removeDataSet } from './content-suite.js';
import { acceptManifests } from './manifests.js';
import { examine, subsection } from './trial.js';
import type { Section, Trial } from './trial.js';
import { pushBlob } from './upload-choice.js';

const invalidDigest = 'sha256:baddigeststring';

/** Manifests that are not there, and a digest that is none. */
export async function runManifestErrors(trial: Trial): Promise<void> {
  const missing = { trial, group: 'missing-manifest' };
  await examine(missing, 'manifest-get-missing-digest', () => expectOnGet(trial, digestOf(randomText()), [404]));
  await examine(missing, 'manifest-get-missing-tag', () => expectOnGet(trial, `missing-${randomText()}`, [404]));
  await examineInvalidDigest({ trial, group: 'invalid-digest-format' });
}

async function examineInvalidDigest(section: Section): Promise<void> {
  const { trial } = section;
  const set = createDataSet();
  addImage(set, { layerCount: 1 });
  for (const [digest, bytes] of set.blobs) await pushBlob(section, { repository: trial.repository, digest, bytes });
  for (const manifest of set.manifests) {
    await examine(section, 'manifest-put-invalid-digest', async () => {
      const url = target(trial.registry, trial.repository, `manifests/${invalidDigest}`);
      const headers = { 'Content-Type': manifest.mediaType };
      const reply = await trial.client.send({ method: 'PUT', url, headers, body: manifest.body, isChunked: true });
      expectReply(reply, { status: [400] });
    });
  }
  await examine(section, 'manifest-get-invalid-digest', () => expectOnGet(trial, invalidDigest, [400, 404]));
  await removeDataSet(subsection(section, 'delete'), set, new Set());
}

async function expectOnGet(trial: Trial, reference: string, status: readonly number[]): Promise<void> {
  const url = target(trial.registry, trial.repository, `manifests/${reference}`);
  expectReply(await trial.client.send({ method: 'GET', url, headers: acceptManifests }), { status });
}
