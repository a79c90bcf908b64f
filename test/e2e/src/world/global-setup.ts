import { randomBytes } from 'node:crypto';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { openRegistry, type Account } from '@entrepot/testkit/registry-client';
import type { TestProject } from 'vitest/node';

/** How to reach the started product, and who lives there. */
export interface World {
  readonly url: string;
  /** Host and port, as image references begin. */
  readonly host: string;
  readonly pid: number;
  readonly dataDirectory: string;
  readonly port: number;
  readonly opsPort: number;
  readonly alice: Account;
  readonly bob: Account;
  /** A token that alice was given at the start, for the repository `alice/expiry`. */
  readonly firstToken: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    readonly world: World;
  }
}

/** The shortest life there is, so that clients meet the end of their tokens in the middle of their work. */
const SETTINGS = { ENTREPOT_TOKEN_LIFETIME: '1m' };

/** Global setup of vitest: one product with two users. Returns the teardown. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const product = await startEntrepot({ settings: SETTINGS });
  try {
    const [alice, bob] = [await makeUser(product, 'alice'), await makeUser(product, 'bob')];
    const firstToken = await openRegistry(product.url, alice).token(['repository:alice/expiry:pull,push']);
    const { url, host, pid, dataDirectory, port, opsPort } = product;
    project.provide('world', { url, host, pid, dataDirectory, port, opsPort, alice, bob, firstToken });
  } catch (error) {
    await product.remove();
    throw error;
  }
  return async () => {
    await product.stop();
    await product.remove();
  };
}

async function makeUser(product: Entrepot, name: string): Promise<Account> {
  const password = randomBytes(12).toString('base64url');
  await product.run(['user', 'create', name, '--password-stdin'], password);
  return { name, password };
}
