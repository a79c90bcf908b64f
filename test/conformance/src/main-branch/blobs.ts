import { expectReply } from '../wire/expect.js';
import { target } from '../wire/target.js';
import { Unsupported } from '../ledger/outcome.js';
import { examine, examineRemoval, expectDigestHeader } from './trial.js';
import type { Section } from './trial.js';

/** A blob that is expected in a repository. */
export interface Blob {
  readonly repository: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** HEAD (end-2): 200 with the length and no body. */
export function examineBlobHead(section: Section, blob: Blob): Promise<boolean> {
  return examine(section, 'blob-head', () => expectBlob(section, 'HEAD', blob));
}

/** GET (end-2): 200 with the length and exactly the bytes. */
export function examineBlobGet(section: Section, blob: Blob): Promise<boolean> {
  return examine(section, 'blob-get', () => expectBlob(section, 'GET', blob));
}

async function expectBlob(section: Section, method: 'GET' | 'HEAD', blob: Blob): Promise<void> {
  const { client, registry, features } = section.trial;
  const reply = await client.send({ method, url: target(registry, blob.repository, `blobs/${blob.digest}`) });
  expectReply(reply, {
    status: [200],
    headers: { 'Content-Length': String(blob.bytes.length) },
    body: method === 'HEAD' ? Buffer.alloc(0) : blob.bytes,
  });
  expectDigestHeader(reply, blob.digest, features.digestHeader);
}

/** DELETE (end-10), then HEAD: 404 at once. A blob that is not there may be deleted too. */
export function examineBlobRemoval(section: Section, repository: string, digest: string): Promise<void> {
  const { client, registry } = section.trial;
  const url = target(registry, repository, `blobs/${digest}`);
  return examineRemoval(
    section,
    { removal: 'blob-delete', absence: 'blob-gone' },
    {
      async remove() {
        const reply = await client.send({ method: 'DELETE', url });
        expectReply(reply, { status: [202, 404, 405] });
        if (reply.status === 405) throw new Unsupported('the registry does not delete blobs');
      },
      async lookAgain() {
        expectReply(await client.send({ method: 'HEAD', url }), { status: [404] });
      },
    },
  );
}
