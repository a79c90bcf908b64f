import type { IncomingMessage } from 'node:http';
import type { HttpConfig } from '../config/sections.js';

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * The origin that absolute URLs of an answer start with, such as the realm of a challenge: the configured public URL, else the
 * loopback name and port that the request used (go-containerregistry refuses a loopback realm that is not the registry's own
 * host). No other Host is ever reflected (security checklist D-08).
 */
export function publicOrigin(
  request: IncomingMessage,
  config: Pick<HttpConfig, 'publicUrl' | 'tlsCertificate'>,
): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  const scheme = config.tlsCertificate === undefined ? 'http' : 'https';
  const host = request.headers.host ?? '';
  if (LOOPBACK_HOST.test(host) && URL.canParse(`${scheme}://${host}`)) return `${scheme}://${host.toLowerCase()}`;
  return `${scheme}://127.0.0.1:${request.socket.localPort ?? ''}`;
}
