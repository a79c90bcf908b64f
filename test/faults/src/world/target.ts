import { openRegistry, type RegistryClient } from '@entrepot/testkit/registry-client';

/** Where a registry is asked as its administrator; a started product is one. */
export interface Target {
  readonly url: string;
  /** Origin of the token issuer, where that is a process of its own. */
  readonly tokenUrl?: string;
  readonly adminPassword: string;
}

export function connect({ url, tokenUrl, adminPassword }: Target): RegistryClient {
  return openRegistry(url, { name: 'admin', password: adminPassword }, tokenUrl);
}
