import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  AccessError,
  basicChallenge,
  issueRefreshToken,
  readAuthorization,
  redeemRefreshToken,
} from '@entrepot/access';
import type { Authenticate, IssuedToken, IssueToken, Login, RefreshTokens, SigningKeyRing } from '@entrepot/access';
import { formatScope, splitTarget } from '@entrepot/oci';
import { continueUpload, exchangeOf } from '@entrepot/runtime';
import { toOAuthError } from './oauth-error.js';
import { readForm } from './read-form.js';
import { readTokenForm, readTokenQuery } from './token-request.js';
import type { TokenGrant, TokenRequest } from './token-request.js';

/** Verifiers may keep the key set so long; less than a new key is published before it signs. */
const JWKS_MAX_AGE_SECONDS = 30;

/** What the endpoints work with. */
export interface TokenRoom {
  readonly authenticate: Authenticate;
  readonly issue: IssueToken;
  readonly refreshTokens: RefreshTokens;
  readonly keys: Pick<SigningKeyRing, 'published'>;
  readonly service: string;
  readonly refreshLifetimeMs: number;
  /** Address that failed logins are counted by. */
  addressOf(request: IncomingMessage): string;
}

/** `GET /auth/token`: Basic credentials or none (Docker token specification). */
export async function answerTokenQuery(
  room: TokenRoom,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = readTokenQuery(splitTarget(request.url ?? '').query, room.service);
  const login = await identify(room, request);
  const issued = await room.issue(login, asked.scopes);
  const refreshToken = await offerRefreshToken(room, login, asked);
  answerJson(response, { ...tokenAnswer(issued), ...refreshToken });
}

/** `POST /auth/token`: the password and refresh_token grants (Docker OAuth2 specification). */
export async function answerTokenForm(
  room: TokenRoom,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    continueUpload(request, response);
    const asked = readTokenForm(await readForm(request), room.service);
    const login = await redeem(room, request, asked);
    const issued = await room.issue(login, asked.scopes);
    const refreshToken = asked.grant.kind === 'password' ? await offerRefreshToken(room, login, asked) : {};
    answerJson(response, { ...tokenAnswer(issued), scope: grantedScope(issued), ...refreshToken });
  } catch (error) {
    throw toOAuthError(error, basicChallenge(room.service));
  }
}

/** `GET /auth/jwks`: the public halves of the signing keys (RFC 7517, 5). */
export function answerKeySet(room: TokenRoom, response: ServerResponse): void {
  response.setHeader('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`);
  writeJson(response, { keys: room.keys.published() });
}

async function identify(room: TokenRoom, request: IncomingMessage): Promise<Login | undefined> {
  const authorization = readAuthorization(request.rawHeaders);
  if (authorization.kind === 'none') return undefined;
  if (authorization.kind !== 'basic') {
    throw new AccessError('CREDENTIALS_REFUSED', 'the token endpoint takes Basic credentials or none');
  }
  return logIn(room, request, authorization);
}

async function logIn(
  room: TokenRoom,
  request: IncomingMessage,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<Login> {
  const login = await room.authenticate({ name, password, address: room.addressOf(request) });
  exchangeOf(request).user = login.name;
  return login;
}

function redeem(room: TokenRoom, request: IncomingMessage, { grant }: { readonly grant: TokenGrant }): Promise<Login> {
  if (grant.kind === 'password') return logIn(room, request, grant);
  return redeemRefreshToken(room.refreshTokens, grant.refreshToken, room.service);
}

/** Anonymous callers get none, whatever they ask. */
async function offerRefreshToken(
  room: TokenRoom,
  login: Login | undefined,
  { wantsRefreshToken, clientId }: TokenRequest,
): Promise<{ refresh_token?: string }> {
  if (!login || !wantsRefreshToken) return {};
  const { service, refreshLifetimeMs } = room;
  const expiresAtMs = Date.now() + refreshLifetimeMs;
  return { refresh_token: await issueRefreshToken(room.refreshTokens, login, { service, clientId, expiresAtMs }) };
}

/** Docker's older clients read `token`, OAuth's `access_token`; they are one and the same. */
function tokenAnswer({ token, expiresInSeconds, issuedAtMs }: IssuedToken): Record<string, unknown> {
  return {
    token,
    access_token: token,
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    issued_at: new Date(issuedAtMs).toISOString(),
  };
}

function grantedScope({ granted }: IssuedToken): string {
  const scopes = [...granted.repositories].map(([name, { actions }]) =>
    formatScope({ type: 'repository', name, actions: [...actions] }),
  );
  if (granted.catalog) scopes.push('registry:catalog:*');
  if (granted.mount) scopes.push('registry:mount:pull');
  return scopes.join(' ');
}

function answerJson(response: ServerResponse, body: unknown): void {
  response.setHeader('Cache-Control', 'no-store');
  writeJson(response, body);
}

function writeJson(response: ServerResponse, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}
