import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Bucket } from '@entrepot/testkit/s3-server';
import { freePort } from '../machine/free-port.js';
import { startServer } from '../machine/server-process.js';
import type { Instance, Place } from './contender.js';
import { adoptTagTree, writeTagTree } from './tag-tree.js';

/** What differs between the two generations of distribution. */
export interface Generation {
  readonly program: string;
  /** The option of its token authentication that names the trusted key, with its file. */
  readonly trust: Readonly<Record<string, string>>;
}

/** Starts distribution over a directory: file system storage, its cache of descriptors, tokens required, no access log. */
export async function launchDistribution({ program, trust }: Generation, place: Place): Promise<Instance> {
  const { directory, issuer, bucket } = place;
  const root = join(directory, 'storage');
  mkdirSync(root, { recursive: true });
  const storage = bucket ? bucketStorage(bucket) : { filesystem: { rootdirectory: root } };
  const origin = `http://127.0.0.1:${await freePort()}`;
  const configFile = join(directory, 'config.json');
  writeFileSync(configFile, JSON.stringify(configuration({ storage, origin, issuer, trust })));
  const process = await startServer({
    program,
    parameters: ['serve', configFile],
    environment: { OTEL_TRACES_EXPORTER: 'none' },
    directory,
    readyUrl: `${origin}/v2/`,
  });
  return {
    process,
    origin,
    token: async (repository, actions) => issuer.mint(repository, actions),
    blobPath: (repository, digest) => `/v2/${repository}/blobs/${digest}`,
    loadTags: async ({ repository, treeDirectory, digest, tags }) => {
      writeTagTree({ treeDirectory, digest, tags });
      adoptTagTree(root, repository, treeDirectory);
    },
  };
}

interface Settings extends Pick<Generation, 'trust'> {
  readonly storage: object;
  readonly origin: string;
  readonly issuer: Place['issuer'];
}

/** Blobs are streamed through, as Entrepot does unless it is told to redirect. */
function bucketStorage({ endpoint, bucket, region, accessKey, secretKey }: S3Bucket): object {
  const credentials = { accesskey: accessKey, secretkey: secretKey };
  const place = { regionendpoint: endpoint, forcepathstyle: true, secure: false, region, bucket };
  return { s3: { ...credentials, ...place }, redirect: { disable: true } };
}

/** JSON is YAML too, which is what distribution reads. */
function configuration({ storage, origin, issuer, trust }: Settings): object {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { ...storage, cache: { blobdescriptor: 'inmemory' } },
    http: { addr: new URL(origin).host, secret: randomBytes(32).toString('hex') },
    auth: { token: { realm: `${origin}/token`, service: issuer.service, issuer: issuer.issuer, ...trust } },
  };
}
