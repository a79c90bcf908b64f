/** Why a bearer token was refused; for the log. */
export type TokenRefusal =
  | 'too-large'
  | 'malformed'
  | 'algorithm'
  | 'unknown-key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'kind'
  | 'lifetime'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked';

/** The token is not good. The client hears `invalid_token` and no reason. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  constructor(readonly reason: TokenRefusal) {
    super(`token refused: ${reason}`);
  }
}
