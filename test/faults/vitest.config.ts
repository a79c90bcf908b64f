import { defineConfig } from 'vitest/config';

/** Each file starts products of its own and kills them; one file at a time, so that timings stay those of one product. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    globalSetup: ['../../libs/testkit/src/s3/s3-global-setup.ts'],
    include: ['src/**/*.spec.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What kills and starves may hit another moment than the one that was meant: once more, and the report says so.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
