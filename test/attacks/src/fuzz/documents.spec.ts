import * as fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, type Answer } from '../wire/http.js';
import {
  CONFIG_TYPE,
  contentOf,
  descriptorOf,
  imageOf,
  IMAGES,
  indexOf,
  INDEX_TYPE,
  LAYER_TYPE,
  MANIFEST_TYPE,
} from '../world/contents.js';
import { bearer, carol, send } from '../world/person.js';
import { fillRepositories, makeUser } from '../world/product.js';
import { requireAlive } from './connections.js';
import { mutated } from './mutations.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './time-box.js';

const { config, layer, manifest } = IMAGES['acme/app'];
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const REFUSALS = new Set(['MANIFEST_INVALID', 'MANIFEST_BLOB_UNKNOWN']);
const TYPES = [
  MANIFEST_TYPE,
  INDEX_TYPE,
  DOCKER_LIST,
  'application/vnd.oci.artifact.manifest.v1+json',
  'application/json',
  '',
  'x',
];

const ENTRY = { ...descriptorOf(manifest, MANIFEST_TYPE), platform: { architecture: 'amd64', os: 'linux' } };

const CORPUS = [
  manifest.bytes.toString(),
  imageOf('acme/app', {
    subject: descriptorOf(manifest, MANIFEST_TYPE),
    artifactType: 'application/x.a',
    annotations: { a: 'b' },
    layers: [{ ...descriptorOf(layer, LAYER_TYPE), data: layer.bytes.toString('base64'), urls: ['http://x/'] }],
  }).manifest.bytes.toString(),
  indexOf([ENTRY]).bytes.toString(),
  JSON.stringify({ schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [] }),
];
const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  'true',
  '-1',
  '1e999',
  '9007199254740993',
  '\\u0000',
  '\\ud800',
  '"layers":[],',
  '"manifests":[],',
  '"subject":{},',
  '"config":null,',
  '"schemaVersion":2,',
  '"size":0,',
  '"digest":"sha256:",',
  '"__proto__":{},',
  '"mediaType":"",',
  '\ufeff',
  '//',
];

/** A descriptor with any member right, wrong or missing. */
const descriptor = fc.record(
  {
    mediaType: fc.constantFrom<unknown>(LAYER_TYPE, CONFIG_TYPE, MANIFEST_TYPE, INDEX_TYPE, '', 'x', 7, null),
    digest: fc.constantFrom<unknown>(
      layer.digest,
      config.digest,
      manifest.digest,
      contentOf('missing').digest,
      'sha256:x',
      7,
      null,
    ),
    size: fc.oneof(
      fc.constantFrom<unknown>(
        layer.bytes.length,
        config.bytes.length,
        manifest.bytes.length,
        -1,
        0.5,
        '1',
        null,
        2 ** 53,
      ),
      fc.integer(),
    ),
    data: fc.constantFrom<unknown>('', layer.bytes.toString('base64'), 'AA==', '%', 7),
    urls: fc.constantFrom<unknown>([], ['http://x/'], ['x'], 'x', [7]),
    annotations: fc.oneof(
      fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
      fc.constantFrom<unknown>(null, [], { a: 7 }),
    ),
    platform: fc.constantFrom<unknown>({}, { architecture: 'amd64', os: 'linux' }, [], 'x', { os: 7 }),
    artifactType: fc.constantFrom<unknown>('application/x', '', 'x y', 7),
  },
  { requiredKeys: [] },
);
const descriptors = fc.oneof(fc.array(descriptor, { maxLength: 4 }), fc.constantFrom<unknown>(null, {}, 'x'));

/** Documents of the right and of wrong shapes. */
const document = fc.record(
  {
    schemaVersion: fc.constantFrom<unknown>(2, 2, 2, 1, '2', null),
    mediaType: fc.constantFrom<unknown>(...TYPES, 7, null),
    artifactType: fc.constantFrom<unknown>('application/x.a', '', 7),
    config: fc.oneof(descriptor, fc.constant(descriptorOf(config, CONFIG_TYPE)), fc.jsonValue()),
    layers: descriptors,
    manifests: descriptors,
    blobs: descriptors,
    subject: fc.oneof(descriptor, fc.constant(descriptorOf(manifest, MANIFEST_TYPE)), fc.jsonValue()),
    annotations: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
    more: fc.jsonValue(),
  },
  { requiredKeys: ['schemaVersion'] },
);

describe('fuzzing of documents', () => {
  let headers: { Authorization: string };
  beforeAll(async () => {
    await fillRepositories();
    headers = bearer(await carol.token('repository:acme/app:pull,push'));
  });
  afterEach(requireAlive);

  /** Either refused by a code for manifests, or stored so that it comes back byte for byte. */
  async function requireRefusedOrKept(text: string, contentType: string): Promise<void> {
    const { bytes, digest } = contentOf(text);
    const path = `/v2/acme/app/manifests/${digest}`;
    const answer: Answer = await send({
      method: 'PUT',
      path,
      headers: { ...headers, ...(contentType !== '' && { 'Content-Type': contentType }) },
      body: bytes,
    });
    if (answer.status === 201) {
      const got = await send({ path, headers });
      if (got.bytes.equals(bytes)) return;
      throw new Error(`stored, and came back as ${got.status} ${got.text}: ${text}`);
    }
    if (answer.status === 400 && REFUSALS.has(codeOf(answer) ?? '')) return;
    throw new Error(`${answer.status} ${answer.text} for ${text}`);
  }

  it(
    'manifests: mutated bytes are refused, or kept as they are',
    async () => {
      const input = fc.tuple(mutated(CORPUS, FRAGMENTS), fc.constantFrom(...TYPES));
      expect(await fuzz('manifest bytes', input, ([text, type]) => requireRefusedOrKept(text, type))).toBeGreaterThan(
        0,
      );
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'manifests: documents of all shapes are refused, or kept as they are',
    async () => {
      const input = fc.tuple(document, fc.constantFrom(...TYPES));
      expect(
        await fuzz('manifest shapes', input, ([value, type]) => requireRefusedOrKept(JSON.stringify(value), type)),
      ).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'upload states: mutated ones are malformed or unknown, and never open an upload',
    async () => {
      const owner = await makeUser('states');
      const asOwner = bearer(await owner.token(`repository:${owner.name}/app:pull,push`));
      const start = { method: 'POST', path: `/v2/${owner.name}/app/blobs/uploads/`, headers: asOwner };
      const [one = '', other = ''] = [await send(start), await send(start)].map(
        (started) => started.headers.location ?? '',
      );
      const [path = '', state = ''] = one.split('?_state=');
      const foreign = other.split('_state=')[1] ?? '';
      const fragments = [
        'v2.',
        '.',
        '0',
        '00',
        '-',
        '_',
        'A',
        '=',
        '%00',
        '9'.repeat(20),
        foreign.slice(5),
        '\u00e9',
        ' ',
      ];
      const input = fc.record({
        method: fc.constantFrom('GET', 'PATCH', 'PUT', 'DELETE'),
        text: mutated([state, foreign], fragments),
      });
      expect(
        await fuzz(
          'upload states',
          input.filter(({ text }) => text !== state),
          async ({ method, text }) => {
            const query = `?_state=${encodeURIComponent(text.toWellFormed())}&digest=${layer.digest}`;
            const answer = await send({ method, path: path + query, headers: asOwner });
            if (![400, 404].includes(answer.status))
              throw new Error(`${method} ${text}: ${answer.status} ${answer.text}`);
          },
        ),
      ).toBeGreaterThan(0);
      expect((await send({ path: one, headers: asOwner })).status).toBe(204);
    },
    FUZZ_TIMEOUT_MS,
  );
});
