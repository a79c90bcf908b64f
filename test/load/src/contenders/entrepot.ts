import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { storageSettings } from '@entrepot/testkit/s3-server';
import { createConnection } from '../client/connection.js';
import { expectStatus } from '../client/expect-status.js';
import { IMAGE_MANIFEST } from '../client/push-image.js';
import { freePort } from '../machine/free-port.js';
import { runCommand } from '../machine/run-command.js';
import { startServer } from '../machine/server-process.js';
import type { Absence, Contender, Instance, Place, TagLoad } from './contender.js';

const LAUNCHER = fileURLToPath(new URL('../../../../apps/cli/bin/entrepot', import.meta.url));
const COMPILED = fileURLToPath(new URL('../../../../apps/cli/dist/main.js', import.meta.url));
const ADMINISTRATOR = 'admin';
/** Chosen once for the bench: later starts over the same data keep the first password. */
const PASSWORD = randomBytes(18).toString('base64url');
const TAGS_PER_REQUEST = 10;
const LOADING_CONNECTIONS = 16;

/** This product as `npm start` runs it: the launcher, its own Postgres, everything on one port. */
export async function findEntrepot(): Promise<Contender | Absence> {
  const name = 'entrepot';
  if (!existsSync(COMPILED)) return { name, reason: 'apps/cli is not compiled' };
  const version = (await runCommand('sh', [LAUNCHER, 'version'])).trim().split('\n')[0] ?? '';
  return { name, description: `${version}, ES256 tokens from /auth/token`, isRegistry: true, launch: launchEntrepot };
}

async function launchEntrepot({ directory, bucket }: Place): Promise<Instance> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const process = await startServer({
    program: 'sh',
    parameters: [LAUNCHER, 'start'],
    environment: {
      ENTREPOT_HTTP_PORT: String(port),
      ENTREPOT_OPS_PORT: String(await freePort()),
      ENTREPOT_DATA_DIR: `${directory}/data`,
      ENTREPOT_ADMIN_PASSWORD: PASSWORD,
      ...(bucket && storageSettings(bucket)),
    },
    directory,
    readyUrl: `${origin}/v2/`,
  });
  const token = (repository: string, actions: string) => fetchToken(origin, `repository:${repository}:${actions}`);
  return {
    process,
    origin,
    token,
    blobPath: (repository, digest) => `/v2/${repository}/blobs/${digest}`,
    loadTags: async (load) => putTags(origin, await token(load.repository, 'pull,push'), load),
  };
}

/** The flow of every client: challenge, then a token from the realm that it names. */
async function fetchToken(origin: string, scope: string): Promise<string> {
  const challenge = (await fetch(`${origin}/v2/`)).headers.get('www-authenticate') ?? '';
  const [realm, service] = ['realm', 'service'].map((key) => new RegExp(`${key}="([^"]*)"`).exec(challenge)?.[1]);
  if (!realm || !service) throw new Error(`no token realm in the challenge ${JSON.stringify(challenge)}`);
  const url = new URL(realm);
  url.search = new URLSearchParams({ service, scope, account: ADMINISTRATOR }).toString();
  const basic = Buffer.from(`${ADMINISTRATOR}:${PASSWORD}`).toString('base64');
  const answer = await fetch(url, { headers: { Authorization: `Basic ${basic}` } });
  if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}

/** Through the API: a PUT by digest may name several tags (`tag=`), so this takes seconds and knows no table. */
async function putTags(origin: string, token: string, { repository, manifest, digest, tags }: TagLoad): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': IMAGE_MANIFEST };
  let at = 0;
  const worker = async () => {
    const connection = createConnection(origin);
    while (at < tags.length) {
      const query = tags.slice(at, (at += TAGS_PER_REQUEST)).map((tag) => `tag=${tag}`);
      const path = `/v2/${repository}/manifests/${digest}?${query.join('&')}`;
      expectStatus(await connection.exchange({ method: 'PUT', path, headers, body: manifest }), [201], 'PUT of tags');
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: LOADING_CONNECTIONS }, worker));
}
