import { createHash } from 'node:crypto';
import {
  RegistryError,
  digestAlgorithm,
  digestHex,
  parseManifest,
  requiredBlobs,
  requiredManifests,
  type Descriptor,
  type Digest,
  type ParsedManifest,
} from '@entrepot/oci';
import type { NamedContent, RebuildTarget, RebuiltManifest, StagedManifest } from '../ports/rebuild-target.js';

/** What was taken once is taken again, whatever the settings are now. */
const ANY_SIZE = { maxSizeBytes: Number.MAX_SAFE_INTEGER };

/** A manifest of the log that cannot be served. */
export interface RefusedManifest {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly reason: string;
}

/** Makes every manifest of the log, in pages; resolves with those that are not what they should be. */
export async function rebuildManifests(
  target: RebuildTarget,
  onProgress: (done: number) => void,
): Promise<RefusedManifest[]> {
  const refused: RefusedManifest[] = [];
  let done = 0;
  let page = await target.stagedManifests(undefined);
  while (page.length > 0) {
    const made: RebuiltManifest[] = [];
    for (const staged of page) {
      const outcome = readStaged(staged);
      if ('reason' in outcome) refused.push(outcome);
      else made.push(outcome);
    }
    await target.makeManifests(made);
    onProgress((done += page.length));
    page = await target.stagedManifests(page.at(-1)?.place);
  }
  return refused;
}

function readStaged({
  place,
  repositoryId,
  digest,
  mediaType,
  payload,
}: StagedManifest): RebuiltManifest | RefusedManifest {
  if (createHash(digestAlgorithm(digest)).update(payload).digest('hex') !== digestHex(digest)) {
    return { repositoryId, digest, reason: 'its bytes are not what its digest says' };
  }
  try {
    const manifest = parseManifest(payload, mediaType, ANY_SIZE);
    return { place, names: namesOf(manifest), ...referrerFields(manifest) };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { repositoryId, digest, reason: error.message };
  }
}

function namesOf(manifest: ParsedManifest): NamedContent[] {
  const blobs = requiredBlobs(manifest).map((each) => named(each, 'blob'));
  return [...blobs, ...requiredManifests(manifest).map((each) => named(each, 'manifest'))];
}

function named({ digest, sizeBytes }: Descriptor, kind: NamedContent['kind']): NamedContent {
  return { digest, sizeBytes, kind };
}

/** As a push stores them. */
function referrerFields({ subject, artifactType, annotations }: ParsedManifest) {
  if (!subject) return {};
  return { subject: subject.digest, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
}
