import type { Installation } from '@entrepot/testkit/installation';
import { openRegistry, type Account } from '@entrepot/testkit/registry-client';
import { alignColumns } from '../align-columns.js';
import { formatNumber } from '../report.js';
import { median } from '../statistics.js';
import { loadScale, type ScaleData } from '../workloads/scale-data.js';
import { startReplicas, type ScaleLab, type ScaleTable } from './scale-lab.js';

const PAGE = 100;
/** The registry says how long these are. */
const REFERRERS_PAGE = 1_000;
/** What "empty" holds: no more than fills the pages that are asked for. */
const FEW = { repositories: 2 * PAGE, tags: 8 * PAGE, referrers: 2 * REFERRERS_PAGE };
const REFERRERS = 20_000;
const MOST = 1.5;
const MIN_REQUESTS = 20;

/** A registry with what was loaded into it. */
interface Loaded {
  readonly installation: Installation;
  readonly data: ScaleData;
}

interface Page {
  readonly title: string;
  readonly path: (data: ScaleData) => string;
  readonly scope: (data: ScaleData) => string;
  readonly account: (installation: Installation) => Account;
}

const CATALOG = 'registry:catalog:*';
const pullOf = ({ repository }: ScaleData) => `repository:${repository}:pull`;
const admin = (installation: Installation) => installation.admin;
const viewer = (installation: Installation) => installation.alice;

const PAGES: readonly Page[] = [
  {
    title: 'manifest GET by tag',
    path: ({ repository, tag }) => `/v2/${repository}/manifests/${tag}`,
    scope: pullOf,
    account: admin,
  },
  {
    title: 'manifest GET by tag, small repository',
    path: ({ smallRepository, smallTag }) => `/v2/${smallRepository}/manifests/${smallTag}`,
    scope: ({ smallRepository }) => `repository:${smallRepository}:pull`,
    account: admin,
  },
  {
    title: `first page of ${PAGE} tags`,
    path: ({ repository }) => `/v2/${repository}/tags/list?n=${PAGE}`,
    scope: pullOf,
    account: admin,
  },
  {
    title: `page of ${PAGE} tags in the middle`,
    path: ({ repository, tag }) => `/v2/${repository}/tags/list?n=${PAGE}&last=${tag}`,
    scope: pullOf,
    account: admin,
  },
  {
    title: `first page of ${PAGE} of the catalog`,
    path: () => `/v2/_catalog?n=${PAGE}`,
    scope: () => CATALOG,
    account: admin,
  },
  {
    title: `page of ${PAGE} of the catalog in the middle`,
    path: ({ smallRepository }) => `/v2/_catalog?n=${PAGE}&last=${smallRepository}`,
    scope: () => CATALOG,
    account: admin,
  },
  {
    title: 'catalog of one who sees few',
    path: () => `/v2/_catalog?n=${PAGE}`,
    scope: () => CATALOG,
    account: viewer,
  },
  {
    title: `page of ${REFERRERS_PAGE} referrers`,
    path: ({ repository, subject }) => `/v2/${repository}/referrers/${subject}`,
    scope: pullOf,
    account: admin,
  },
];

/** Times of pages in a registry with very many tags and repositories, as a ratio to those in one with hardly any. */
export async function measureLargeTables(lab: ScaleLab): Promise<readonly ScaleTable[]> {
  const { tags, repositories } = lab.size;
  const started: Installation[] = [];
  const load = async (amounts: { repositories: number; tags: number; referrers: number }): Promise<Loaded> => {
    const installation = await startReplicas(lab, 'filesystem', 1);
    started.push(installation);
    lab.say(`loading ${amounts.repositories} repositories and ${amounts.tags} tags`);
    return { installation, data: await loadScale(installation.databaseUrl, { ...amounts, viewer: 'alice' }) };
  };
  try {
    const empty = await load(FEW);
    const full = await load({ repositories, tags, referrers: REFERRERS });
    const rows: string[][] = [];
    for (const page of PAGES) rows.push(await compare(lab, page, { empty, full }));
    const amounts = `${tags.toLocaleString('en')} tags and ${repositories.toLocaleString('en')} repositories`;
    const head = ['work', 'unit', 'empty', 'full', 'ratio', 'goal'];
    return [{ title: `${amounts}, against a registry that is almost empty`, text: alignColumns([head, ...rows]) }];
  } finally {
    for (const installation of started) await installation.remove();
  }
}

async function compare(
  lab: ScaleLab,
  page: Page,
  { empty, full }: { readonly empty: Loaded; readonly full: Loaded },
): Promise<string[]> {
  const times = { empty: [] as number[], full: [] as number[] };
  // The first round warms both up.
  for (let round = 0; round <= lab.size.rounds; round += 1) {
    const [emptyMs, fullMs] = [await timeOf(lab, page, empty), await timeOf(lab, page, full)];
    if (round === 0) continue;
    times.empty.push(emptyMs);
    times.full.push(fullMs);
  }
  const [emptyMs, fullMs] = [median(times.empty), median(times.full)];
  const ratio = fullMs / emptyMs;
  const goal = `at most ${MOST}x: ${ratio <= MOST ? 'met' : 'MISSED'}`;
  return [page.title, 'ms', formatNumber(emptyMs), formatNumber(fullMs), `${ratio.toFixed(2)}x`, goal];
}

/** Median time of a page on one connection. */
async function timeOf({ client, size }: ScaleLab, page: Page, { installation, data }: Loaded): Promise<number> {
  const registry = openRegistry(installation.url, page.account(installation));
  const token = await registry.token([page.scope(data)]);
  registry.close();
  const request = { method: 'GET', path: page.path(data), headers: { Authorization: `Bearer ${token}` } } as const;
  const [{ url: origin } = { url: '' }] = installation.registries;
  const load = { origin, request, connections: 1, atLeast: MIN_REQUESTS, durationMs: size.durationMs / 5 };
  return (await client.run({ kind: 'repeat', ...load })).medianMs;
}
