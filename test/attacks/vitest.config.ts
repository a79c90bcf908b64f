import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/** By path, so that `src/groups/z-aftermath.spec.ts` looks at what all others left behind. */
class PathSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** Attacks on one started Entrepot, file after file. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['src/**/*.spec.ts'],
    globalSetup: ['src/world/global-setup.ts'],
    fileParallelism: false,
    sequence: { sequencer: PathSequencer },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
