import { expectReply } from '../wire/expect.js';
import { endpoint } from './bench.js';
import type { Chapter, Step } from './bench.js';
import { expectErrorCode } from './error-codes.js';
import {
  absentBlob,
  absentManifest,
  populateBlob,
  populateManifest,
  presentBlob,
  presentManifest,
  teardownBlob,
  teardownManifest,
} from './steps.js';

const tag = 'tagtest0';

const malformedDigest: Step = {
  title: '400 response body should contain OCI-conforming JSON message',
  clause: 'Error Codes',
  async run(bench) {
    const url = endpoint(bench, 'manifests/sha256:totallywrong');
    const reply = await bench.client.send({ method: 'GET', url });
    expectReply(reply, { status: [400, 404] });
    if (reply.status === 400) expectErrorCode(reply);
  },
};

/** Category "Pull". */
export const pullChapters: readonly Chapter[] = [
  {
    group: 'Pull/Setup',
    steps: [
      populateBlob('Populate registry with test blob', ({ configs }) => configs.pull),
      populateBlob('Populate registry with test blob', ({ configs }) => configs.push),
      populateBlob('Populate registry with test layer', ({ layer }) => layer),
      populateManifest('Populate registry with test manifest', ({ manifests }) => ({
        reference: tag,
        manifest: manifests.pull,
      })),
      populateManifest('Populate registry with test manifest', ({ manifests }) => ({
        reference: manifests.push.digest,
        manifest: manifests.push,
      })),
    ],
  },
  {
    group: 'Pull/Pull blobs',
    steps: [
      absentBlob('HEAD request to nonexistent blob should result in 404 response', 'HEAD'),
      presentBlob('HEAD request to existing blob should yield 200', 'HEAD', ({ configs }) => configs.pull),
      absentBlob('GET nonexistent blob should result in 404 response', 'GET'),
      presentBlob('GET request to existing blob URL should yield 200', 'GET', ({ configs }) => configs.pull),
    ],
  },
  { group: 'Pull/Pull manifests', steps: [...manifestSteps('HEAD'), ...manifestSteps('GET')] },
  { group: 'Pull/Error codes', steps: [malformedDigest] },
  {
    group: 'Pull/Teardown',
    steps: [
      teardownManifest('Delete manifest[0] created in setup', ({ manifests }) => manifests.pull),
      teardownManifest('Delete manifest[1] created in setup', ({ manifests }) => manifests.push),
      teardownBlob('Delete config[0] blob created in setup', ({ configs }) => configs.pull),
      teardownBlob('Delete config[1] blob created in setup', ({ configs }) => configs.push),
      teardownBlob('Delete layer blob created in setup', ({ layer }) => layer),
    ],
  },
];

function manifestSteps(method: 'GET' | 'HEAD'): Step[] {
  const request = `${method} request to`;
  const absent =
    method === 'HEAD'
      ? 'HEAD request to nonexistent manifest should return 404'
      : 'GET nonexistent manifest should return 404';
  return [
    absentManifest(absent, method),
    presentManifest(`${request} manifest[0] path (digest) should yield 200 response`, method, ({ manifests }) => ({
      reference: manifests.pull.digest,
      digest: manifests.pull.digest,
    })),
    presentManifest(`${request} manifest[1] path (digest) should yield 200 response`, method, ({ manifests }) => ({
      reference: manifests.push.digest,
      digest: manifests.push.digest,
    })),
    presentManifest(`${request} manifest path (tag) should yield 200 response`, method, ({ manifests }) => ({
      reference: tag,
      digest: manifests.pull.digest,
    })),
  ];
}
