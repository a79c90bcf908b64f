import { inject } from 'vitest';
import { jsonOf, sendHttp, type Answer, type Ask } from '../wire/http.js';
import { MANIFEST_TYPE, type Content, type Image } from './contents.js';
import { PLANTED } from './settings.js';

/** The service that the product names in its challenges by default. */
export const SERVICE = 'entrepot';

/** What the token endpoint answers. */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
}

/** A client of the registry, under a name or none, that follows challenges as docker does. */
export interface Person {
  readonly name: string;
  readonly basic: string | undefined;
  /** Sends the request, with a token where the registry asks for one. */
  ask(ask: Ask): Promise<Answer>;
  /** A token for the scopes. */
  token(...scopes: readonly string[]): Promise<string>;
}

/** Sends a request to the product as it is. */
export function send(ask: Ask): Promise<Answer> {
  return sendHttp(inject('product').port, ask);
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

export function basicOf(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

export function personOf(name: string, password: string = PLANTED.userPassword): Person {
  return clientOf(name, basicOf(name, password));
}

export const anonymous: Person = clientOf('', undefined);
export const alice = personOf('alice');
export const bob = personOf('bob');
export const carol = personOf('carol');
export const acmeReader = personOf('acme-ro');
export const root = personOf('admin', PLANTED.administratorPassword);

function clientOf(name: string, basic: string | undefined): Person {
  const login = basic === undefined ? {} : { Authorization: basic };
  const token = async (...scopes: readonly string[]): Promise<string> => {
    const answer = await send({ path: tokenPath(scopes), headers: login });
    if (answer.status !== 200) throw new Error(`${name} got no token: ${answer.status} ${answer.text}`);
    return jsonOf<TokenAnswer>(answer).token;
  };
  return {
    name,
    basic,
    token,
    async ask(ask) {
      // Asked without its body first: what a refused body does to a connection is another test's matter.
      const { body: _body, ...head } = ask;
      const refused = await send(head);
      const scope = /scope="([^"]*)"/.exec(refused.headers['www-authenticate'] ?? '')?.[1] ?? '';
      if (refused.status !== 401) return refused;
      return send({ ...ask, headers: { ...ask.headers, ...bearer(await token(...scope.split(' '))) } });
    },
  };
}

/** `GET /auth/token` for the scopes. */
export function tokenPath(scopes: readonly string[], extra: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ service: SERVICE, ...extra });
  for (const scope of scopes.filter((text) => text !== '')) query.append('scope', scope);
  return `/auth/token?${query}`;
}

/** Pushes a blob in one request. */
export async function pushBlob(person: Person, repository: string, { bytes, digest }: Content): Promise<Answer> {
  const headers = { 'Content-Type': 'application/octet-stream' };
  return person.ask({
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/?digest=${digest}`,
    headers,
    body: bytes,
  });
}

export async function putManifest(
  person: Person,
  path: string,
  { bytes }: Content,
  contentType: string = MANIFEST_TYPE,
): Promise<Answer> {
  return person.ask({ method: 'PUT', path: `/v2/${path}`, headers: { 'Content-Type': contentType }, body: bytes });
}

/** Pushes config, layer and manifest. Rejects unless all were stored. */
export async function pushImage(person: Person, repository: string, tag: string, image: Image): Promise<void> {
  const answers = [
    await pushBlob(person, repository, image.config),
    await pushBlob(person, repository, image.layer),
    await putManifest(person, `${repository}/manifests/${tag}`, image.manifest),
  ];
  const failed = answers.find(({ status }) => status !== 201);
  if (failed) throw new Error(`${person.name} could not push to ${repository}: ${failed.status} ${failed.text}`);
}
