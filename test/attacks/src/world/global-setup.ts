import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { connectionUrl, readConnection } from '@entrepot/embedded-postgres';
import { startEntrepot } from '@entrepot/testkit/entrepot';
import { prepareTenants } from './prepare-tenants.js';
import { SETTINGS } from './settings.js';

/** How to reach the attacked Entrepot, and to look at it from outside. */
export interface ProductAddress {
  readonly port: number;
  readonly opsPort: number;
  readonly pid: number;
  readonly databaseUrl: string;
  readonly dataDirectory: string;
  /** File with everything that it wrote to standard output and error. */
  readonly outputPath: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** The Entrepot that all files attack. */
    readonly product: ProductAddress;
  }
}

/** Global setup of vitest: one product with two tenants. Returns the teardown, which rejects unless it stops as it should. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const product = await startEntrepot({ settings: SETTINGS });
  try {
    const { port, opsPort, pid, dataDirectory } = product;
    const connection = readConnection(join(dataDirectory, 'postgres'));
    if (connection === undefined) throw new Error('the product runs without its Postgres');
    const databaseUrl = connectionUrl(connection);
    const outputPath = join(dirname(dataDirectory), 'output.log');
    project.provide('product', { port, opsPort, pid, databaseUrl, dataDirectory, outputPath });
    await prepareTenants(databaseUrl);
  } catch (error) {
    await product.remove();
    throw error;
  }
  return async () => {
    const code = await product.stop();
    await product.remove();
    if (code !== 0) throw new Error(`the product ended with ${code} after the attacks`);
  };
}
