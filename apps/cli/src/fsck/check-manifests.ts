import { createHash } from 'node:crypto';
import { walkManifests, type DatabasePool, type WalkedManifest } from '@entrepot/metadata';
import { digestAlgorithm, parseManifest, requiredBlobs, requiredManifests } from '@entrepot/oci';
import type { Finding } from './finding.js';

const PAGE = 100;

/** Reads every manifest: are its bytes those of its digest, and does a row stand for each reference in them? */
export async function* checkManifests(pool: DatabasePool, signal: AbortSignal): AsyncGenerator<Finding> {
  let page: WalkedManifest[] = [];
  do {
    signal.throwIfAborted();
    page = await walkManifests(pool, { after: page.at(-1)?.id ?? '0', limit: PAGE });
    for (const manifest of page) yield* checkManifest(manifest);
  } while (page.length === PAGE);
}

function* checkManifest({ repository, digest, mediaType, payload, references }: WalkedManifest): Generator<Finding> {
  const found = { repositories: [repository], repaired: false };
  const algorithm = digestAlgorithm(digest);
  if (`${algorithm}:${createHash(algorithm).update(payload).digest('hex')}` !== digest) {
    yield { kind: 'manifest-corrupt', digest, ...found, note: `the bytes of ${repository}@${digest} are others` };
    return;
  }
  const manifest = parseManifest(payload, mediaType);
  const known = new Set(references);
  for (const named of [...requiredBlobs(manifest), ...requiredManifests(manifest)]) {
    if (known.has(named.digest)) continue;
    yield { kind: 'reference-missing', digest: named.digest, ...found, note: `no row says that ${digest} names it` };
  }
}
