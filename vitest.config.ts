import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'apps/*/src/**/*.spec.ts',
      'libs/*/src/**/*.spec.ts',
      'test/architecture/src/**/*.spec.ts',
      'test/load/src/**/*.spec.ts',
    ],
    globalSetup: ['libs/testkit/src/postgres-global-setup.ts', 'libs/testkit/src/s3/s3-global-setup.ts'],
    testTimeout: 30_000,
    // The first run on a machine builds an S3 server and fetches another one.
    hookTimeout: 300_000,
    // A machine that does other work too may miss a moment: once more, and the report says so.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
