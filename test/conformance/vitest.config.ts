import { defineConfig } from 'vitest/config';

/** The runner's own specs, the run against Entrepot, and the proof on a foreign registry. */
export default defineConfig({
  root: import.meta.dirname,
  test: { include: ['src/**/*.spec.ts'], testTimeout: 60_000, hookTimeout: 300_000 },
});
