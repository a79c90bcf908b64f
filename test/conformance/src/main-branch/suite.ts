import { digestOf, randomText } from '../data/digest.js';
import { expectReply } from '../wire/expect.js';
import { runBlobSuite } from './blob-suite.js';
import { runContentSuite } from './content-suite.js';
import { listReferrers, listTags } from './listings.js';
import { runManifestErrors } from './manifest-errors.js';
import { examine } from './trial.js';
import type { Trial } from './trial.js';

/** Every assertion of the runner on the specification's main branch, in its order. */
export async function runMainSuite(trial: Trial): Promise<void> {
  await examine({ trial, group: 'ping' }, 'ping', async () => {
    expectReply(await trial.client.send({ method: 'GET', url: new URL('/v2/', trial.registry) }), { status: [200] });
  });
  await examineEmptyRepository(trial);
  await runBlobSuite(trial, 'sha256');
  await runBlobSuite(trial, 'sha512');
  await runContentSuite(trial);
  await runManifestErrors(trial);
}

/** What a repository answers that nothing was pushed to yet. */
async function examineEmptyRepository(trial: Trial): Promise<void> {
  const section = { trial, group: 'empty' };
  await examine(section, 'tag-list-empty', async () => {
    await listTags(trial);
  });
  await examine(section, 'referrers-empty', async () => {
    await listReferrers(trial, digestOf(randomText()));
  });
}
