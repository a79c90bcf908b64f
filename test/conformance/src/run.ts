import { runBeyondSuite } from './beyond/suite.js';
import { digestOf } from './data/digest.js';
import { featuresOf } from './environment.js';
import type { Settings } from './environment.js';
import type { Ledger } from './ledger/ledger.js';
import { runMainSuite } from './main-branch/suite.js';
import type { Trial } from './main-branch/trial.js';
import { postThenPut } from './main-branch/uploads.js';
import { createFixtures } from './version-1-1/fixtures.js';
import { runTaggedSuite } from './version-1-1/suite.js';
import { createClient } from './wire/client.js';

/** Runs the suites against the registry; rejects where it does not answer, refuses the credentials or the seed blobs. */
export async function runConformance(settings: Settings): Promise<Ledger> {
  const ledger: Ledger = [];
  const trial = createTrial(settings, ledger);
  await trial.client.send({ method: 'GET', url: new URL('/v2/', settings.registry) });
  await seed(trial, settings.seedRepository);
  if (settings.suites.includes('main')) await runMainSuite(trial);
  if (settings.suites.includes('v1.1.1')) await runTagged(settings, ledger);
  if (settings.suites.includes('beyond')) await runBeyondSuite(trial);
  return ledger;
}

function createTrial(settings: Settings, ledger: Ledger): Trial {
  const { registry, repository, otherRepository, credentials } = settings;
  const client = createClient({ credentials, preferredField: 'access_token', keepsTokens: true });
  const features = featuresOf(settings);
  return { client, ledger, registry, repository, otherRepository, features, uploads: new Map() };
}

/** A registry that looks blobs up by digest alone betrays itself only when another repository holds the same content. */
async function seed(trial: Trial, repository: string | undefined): Promise<void> {
  if (repository === undefined) return;
  for (const bytes of [Buffer.alloc(0), Buffer.from('{}')]) {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      await postThenPut(trial, { repository, digest: digestOf(bytes, algorithm), bytes });
    }
  }
}

async function runTagged(settings: Settings, ledger: Ledger): Promise<void> {
  const { registry, repository, otherRepository, mountsAutomatically, credentials } = settings;
  const client = createClient({ credentials, preferredField: 'token', keepsTokens: false });
  const subject = { client, registry, repository, mountRepository: otherRepository, mountsAutomatically };
  await runTaggedSuite({ ...subject, fixtures: createFixtures(), memory: {} }, ledger);
}
