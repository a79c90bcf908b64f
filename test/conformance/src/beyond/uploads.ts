import { randomBytes } from 'node:crypto';
import { digestOf } from '../data/digest.js';
import { mediaTypes } from '../data/media-types.js';
import { finishUpload, openUpload } from '../main-branch/uploads.js';
import type { Trial } from '../main-branch/trial.js';
import { Unsupported } from '../ledger/outcome.js';
import { expectReply, locationOf, requireLocation } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { withQuery } from '../wire/target.js';
import type { Rule } from './rules.js';

const octets = { 'Content-Type': mediaTypes.octets };
const malformedRanges = ['bytes 0-9/10', 'bytes=0-9', 'one-ten', '0-', '-9', '9-0', '0-99999999999999999999'] as const;
const chunk = randomBytes(10);

/** A Content-Range that is none is the client's mistake, and the upload goes on after it. */
const malformedContentRange: readonly Rule[] = malformedRanges.map((range) => ({
  name: `a Content-Range of "${range}" is refused with 400 or 416 and the upload survives`,
  clause: 'end-5, Pushing a blob in chunks',
  async run({ trial }) {
    const location = requireLocation(await openUpload(trial, trial.repository));
    expectReply(await patch(trial, location, range), { status: [400, 416] });
    const url = await currentLocation(trial, location);
    const reply = await patch(trial, url, `0-${chunk.length - 1}`);
    expectReply(reply, { status: [202] });
    const upload = { repository: trial.repository, digest: digestOf(chunk), bytes: chunk };
    await finishUpload(trial, upload, { location: locationOf(reply) ?? url });
  },
}));

/** What must be refused at the end of an upload and afterwards. */
export const uploadRules: readonly Rule[] = [
  ...malformedContentRange,
  {
    name: 'a length that differs from the Content-Range is refused with 400 or 416',
    clause: 'end-5, Pushing a blob in chunks',
    async run({ trial }) {
      const location = requireLocation(await openUpload(trial, trial.repository));
      expectReply(await patch(trial, location, `0-${chunk.length}`), { status: [400, 416] });
    },
  },
  {
    name: 'a PUT without digest is refused with 400',
    clause: 'end-6, POST then PUT',
    async run({ trial }) {
      const url = requireLocation(await openUpload(trial, trial.repository));
      expectReply(await trial.client.send({ method: 'PUT', url, headers: octets, body: chunk }), { status: [400] });
    },
  },
  ...['sha256:short', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'nonsense'].map((digest): Rule => ({
    name: `a PUT with the digest "${digest}" is refused with 400`,
    clause: 'end-6, POST then PUT',
    async run({ trial }) {
      const url = withQuery(requireLocation(await openUpload(trial, trial.repository)), { digest });
      expectReply(await trial.client.send({ method: 'PUT', url, headers: octets, body: chunk }), { status: [400] });
    },
  })),
  {
    name: 'a finished upload is gone',
    clause: 'end-13 and end-6',
    async run({ trial }) {
      const bytes = randomBytes(10);
      const location = requireLocation(await openUpload(trial, trial.repository));
      await finishUpload(
        trial,
        { repository: trial.repository, digest: digestOf(bytes), bytes },
        { location, body: bytes },
      );
      expectReply(await trial.client.send({ method: 'GET', url: location }), { status: [404] });
      expectReply(await patch(trial, location, `0-${chunk.length - 1}`), { status: [404] });
    },
  },
  {
    name: 'a cancelled upload is gone',
    clause: 'end-14, Cancel a blob upload',
    async run({ trial }) {
      if (!trial.features.uploadCancel) throw new Unsupported('the level has no end-14');
      const url = requireLocation(await openUpload(trial, trial.repository));
      expectReply(await trial.client.send({ method: 'DELETE', url }), { status: [204] });
      expectReply(await trial.client.send({ method: 'GET', url }), { status: [404] });
      expectReply(await trial.client.send({ method: 'DELETE', url }), { status: [404] });
    },
  },
];

function patch(trial: Trial, url: URL, contentRange: string): Promise<WireReply> {
  const headers = { ...octets, 'Content-Range': contentRange };
  return trial.client.send({ method: 'PATCH', url, headers, body: chunk });
}

async function currentLocation(trial: Trial, location: URL): Promise<URL> {
  const progress = await trial.client.send({ method: 'GET', url: location });
  expectReply(progress, { status: [204] });
  return locationOf(progress) ?? location;
}
