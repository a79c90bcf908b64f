import type { IncomingMessage } from 'node:http';
import {
  TokenRefused,
  answerLoginError,
  readAuthorization,
  type TokenVerifier,
  type VerifiedToken,
} from '@entrepot/access';
import { parseScopes, type RegistryError } from '@entrepot/oci';
import { exchangeOf } from '@entrepot/runtime';
import type { Caller } from './call.js';

/** Turns a user's own credentials, sent without a token, into what a token for the scopes would open. */
export type AdmitCredentials = (credentials: {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  readonly scopes: ReturnType<typeof parseScopes>;
}) => Promise<Caller>;

export interface Identification {
  readonly verifier: TokenVerifier;
  readonly admit: AdmitCredentials;
  /** Address that logins are counted by. */
  addressOf(request: IncomingMessage): string;
}

/** What a refused caller is told; made by whoever knows the request's realm and scope. */
export type MakeChallenge = (error?: 'invalid_token' | 'insufficient_scope') => RegistryError;

/**
 * Who sends the request. A token that was seen before is known at once; anything else is a promise. Without usable
 * credentials the answer is the challenge.
 */
export function identifyCaller(
  identification: Identification,
  request: IncomingMessage,
  { scope, challenge }: { scope: string | undefined; challenge: MakeChallenge },
): Caller | Promise<Caller> {
  const authorization = readAuthorization(request.rawHeaders);
  switch (authorization.kind) {
    case 'none':
      throw challenge();
    case 'malformed':
      throw challenge('invalid_token');
    case 'bearer':
      return identifyBearer(identification.verifier, request, authorization.token, challenge);
    case 'basic': {
      const { name, password } = authorization;
      const scopes = parseScopes(scope === undefined ? [] : [scope]);
      const address = identification.addressOf(request);
      return admitBasic(identification.admit({ name, password, address, scopes }), request, challenge);
    }
  }
}

function identifyBearer(
  verifier: TokenVerifier,
  request: IncomingMessage,
  token: string,
  challenge: MakeChallenge,
): Caller | Promise<Caller> {
  try {
    const known = verifier.recall(token);
    if (known) return named(request, known);
  } catch (error) {
    throw refused(error, challenge);
  }
  return verifier.verify(token).then(
    (verified) => named(request, verified),
    (error: unknown) => {
      throw refused(error, challenge);
    },
  );
}

function named(request: IncomingMessage, token: VerifiedToken): Caller {
  exchangeOf(request).user = token.accountName;
  return token;
}

function refused(error: unknown, challenge: MakeChallenge): unknown {
  return error instanceof TokenRefused ? challenge('invalid_token') : error;
}

async function admitBasic(
  admitted: Promise<Caller>,
  request: IncomingMessage,
  challenge: MakeChallenge,
): Promise<Caller> {
  try {
    const caller = await admitted;
    exchangeOf(request).user = caller.accountName;
    return caller;
  } catch (error) {
    throw answerLoginError(error, String(challenge().headers['WWW-Authenticate'])) ?? error;
  }
}
