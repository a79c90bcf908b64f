import { defineConfig } from 'vitest/config';

/** Several replicas behind a balancer: an installation of its own, apart from the product that the other tests share. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['src/replicas/**/*.spec.ts'],
    testTimeout: 480_000,
    hookTimeout: 180_000,
    // What kills and starves may hit another moment than the one that was meant: once more, and the report says so.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
