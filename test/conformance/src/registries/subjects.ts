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

/** What `@entrepot/testkit` offers to start the product with settings of its own. */
type StartEntrepot = (options: { readonly environment: Readonly<Record<string, string>> }) => Promise<Entrepot>;

interface Entrepot {
  readonly url: string;
  readonly administrator: { readonly username: string; readonly password: string };
  readonly stop: () => Promise<void>;
}

/**
 * The registry of CONFORMANCE_URL; without one, Entrepot as it comes and Entrepot that accepts sparse content; nothing
 * where neither is there.
 */
export async function findSubjects(): Promise<readonly Subject[]> {
  if (process.env['CONFORMANCE_URL'] !== undefined) return [givenRegistry()];
  const testkit: object = await import('@entrepot/testkit');
  if (!('startEntrepot' in testkit)) return [];
  const startEntrepot = testkit.startEntrepot as StartEntrepot;
  return [
    entrepot(startEntrepot, 'Entrepot with default settings', {}),
    entrepot(startEntrepot, 'Entrepot with sparse content', { ENTREPOT_CONTENT_SPARSE: 'all' }),
  ];
}

function givenRegistry(): Subject {
  const { CONFORMANCE_URL: name = '', CONFORMANCE_SPARSE: sparse } = process.env;
  const running: Running = { environment: process.env, stop: () => Promise.resolve() };
  return { name, hasSparse: sparse === 'on', start: () => Promise.resolve(running) };
}

function entrepot(start: StartEntrepot, name: string, settings: Readonly<Record<string, string>>): Subject {
  return {
    name,
    hasSparse: settings['ENTREPOT_CONTENT_SPARSE'] === 'all',
    async start() {
      const { url, administrator, stop } = await start({ environment: settings });
      const namespace = administrator.username;
      const environment = {
        CONFORMANCE_URL: url,
        CONFORMANCE_USERNAME: administrator.username,
        CONFORMANCE_PASSWORD: administrator.password,
        CONFORMANCE_REPO1: `${namespace}/conformance/one`,
        CONFORMANCE_REPO2: `${namespace}/conformance/two`,
        CONFORMANCE_SEED_REPO: `${namespace}/conformance/seed`,
      };
      return { environment, stop };
    },
  };
}
