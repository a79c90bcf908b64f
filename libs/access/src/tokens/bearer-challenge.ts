export interface BearerChallenge {
  /** Absolute URL of the token endpoint. */
  readonly realm: string;
  readonly service: string;
  /** Scopes of the request, separated by spaces; absent for `GET /v2/`. */
  readonly scope?: string;
  readonly error?: 'invalid_token' | 'insufficient_scope';
}

/** Text of `WWW-Authenticate` on a 401 of the data plane (distribution, token specification; RFC 6750, 3). */
export function bearerChallenge({ realm, service, scope, error }: BearerChallenge): string {
  const parts = [`realm=${quote(realm)}`, `service=${quote(service)}`];
  if (scope !== undefined && scope !== '') parts.push(`scope=${quote(scope)}`);
  if (error !== undefined) parts.push(`error=${quote(error)}`);
  return `Bearer ${parts.join(',')}`;
}

/** Text of `WWW-Authenticate` on a 401 of the token endpoint itself (RFC 7617, 2). */
export function basicChallenge(service: string): string {
  return `Basic realm=${quote(service)}, charset="UTF-8"`;
}

/** A quoted-string (RFC 9110, 5.6.4). */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
