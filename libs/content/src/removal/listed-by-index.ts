import { RegistryError, type Digest } from '@entrepot/oci';

/**
 * Refusal to remove a manifest that indexes list. They stand in the message too, since most clients show nothing else; a 405 says
 * what the resource takes for now (RFC 9110, 15.5.6).
 */
export function listedByIndex(message: string, indexes: readonly Digest[]): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    message: `${message}: ${indexes.join(', ')}`,
    detail: { indexes },
    headers: { Allow: 'GET, HEAD, PUT' },
  });
}
