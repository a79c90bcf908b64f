import { startEntrepot } from '@entrepot/testkit/entrepot';

/** A registry under test, with the CONFORMANCE_ variables that lead to it. */
export interface Running {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stop: () => Promise<void>;
}

/** A registry that can be started for a run. */
export interface Subject {
  readonly name: string;
  /** Whether it accepts manifests whose references are missing. */
  readonly hasSparse: boolean;
  readonly start: () => Promise<Running>;
}

/** The registry of CONFORMANCE_URL; without one, Entrepot as it comes and Entrepot that accepts sparse content. */
export function findSubjects(): readonly Subject[] {
  if (process.env['CONFORMANCE_URL'] !== undefined) return [givenRegistry()];
  return [
    entrepot('Entrepot with default settings', {}),
    entrepot('Entrepot with sparse content', { ENTREPOT_CONTENT_SPARSE: 'all' }),
  ];
}

function givenRegistry(): Subject {
  const { CONFORMANCE_URL: name = '', CONFORMANCE_SPARSE: sparse } = process.env;
  const running: Running = { environment: process.env, stop: () => Promise.resolve() };
  return { name, hasSparse: sparse === 'on', start: () => Promise.resolve(running) };
}

function entrepot(name: string, settings: Readonly<Record<string, string>>): Subject {
  return {
    name,
    hasSparse: settings['ENTREPOT_CONTENT_SPARSE'] === 'all',
    async start() {
      const { url, adminPassword, remove } = await startEntrepot({ settings });
      const environment = {
        CONFORMANCE_URL: url,
        CONFORMANCE_USERNAME: 'admin',
        CONFORMANCE_PASSWORD: adminPassword,
        CONFORMANCE_REPO1: 'admin/conformance/one',
        CONFORMANCE_REPO2: 'admin/conformance/two',
        CONFORMANCE_SEED_REPO: 'admin/conformance/seed',
      };
      return { environment, stop: remove };
    },
  };
}
