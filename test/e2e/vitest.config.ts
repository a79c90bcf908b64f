import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/** By path: the scenarios come last, when the token of the start has expired. */
class PathSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** Real clients, one file after the other, all against one started Entrepot. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['src/{clients,scenarios}/**/*.spec.ts'],
    globalSetup: ['src/world/global-setup.ts'],
    fileParallelism: false,
    sequence: { sequencer: PathSequencer },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
