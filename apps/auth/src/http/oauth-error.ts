import { answerLoginError } from '@entrepot/access';
import { RegistryError } from '@entrepot/oci';
import { UnsupportedGrant } from './token-request.js';

type OAuthErrorCode = 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type' | 'temporarily_unavailable';

/** A refusal in both shapes: the registry's `errors`, and OAuth's `error` (RFC 6749, 5.2). */
class OAuthError extends RegistryError {
  readonly #error: OAuthErrorCode;

  constructor(refusal: RegistryError) {
    const { code, message, status, headers, detail } = refusal;
    super(code, { message, status, headers, detail });
    this.#error = oauthCode(refusal);
  }

  override toBody() {
    return { ...super.toBody(), error: this.#error, error_description: this.message };
  }
}

/** The same refusal for a client that may speak OAuth only. Faults are returned as they are. */
export function toOAuthError(error: unknown, challenge: string): unknown {
  const refusal = answerLoginError(error, challenge) ?? error;
  return refusal instanceof RegistryError ? new OAuthError(refusal) : refusal;
}

function oauthCode(refusal: RegistryError): OAuthErrorCode {
  if (refusal instanceof UnsupportedGrant) return 'unsupported_grant_type';
  if (refusal.status === 401) return 'invalid_grant';
  return refusal.status === 429 ? 'temporarily_unavailable' : 'invalid_request';
}
