import { RegistryError } from '@entrepot/oci';
import { AccessError } from '../errors.js';

/** Which HTTP answer a failed login is; both doors, `/auth/token` and `/v2/`, say the same. */
export function answerLoginError(error: unknown, challenge: string): RegistryError | undefined {
  if (!(error instanceof AccessError)) return undefined;
  switch (error.code) {
    case 'CREDENTIALS_REFUSED':
      return new RegistryError('UNAUTHORIZED', { message: error.message, headers: { 'WWW-Authenticate': challenge } });
    case 'LOGIN_THROTTLED':
    case 'LOGIN_BUSY': {
      const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
      return new RegistryError('TOOMANYREQUESTS', {
        message: error.message,
        headers: { 'Retry-After': String(seconds) },
      });
    }
    default:
      return undefined;
  }
}
