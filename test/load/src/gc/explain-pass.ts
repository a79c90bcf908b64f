import {
  foldUsage,
  newReviewTally,
  removeDoomedObjects,
  reviewContent,
  type BlobStore,
  type ReviewTerms,
} from '@entrepot/content';
import { PostgresPurge, PostgresReviews, PostgresUsage, createPool } from '@entrepot/metadata';
import type { Pool, PoolClient, QueryConfig } from 'pg';

/** Rows from which on a table is a big one. */
const MANY_ROWS = 2_000;

export interface ExplainedStatement {
  readonly name: string;
  /** What is read how, one line each. */
  readonly steps: readonly string[];
  /** Big tables that are read from end to end; there should be none. */
  readonly scanned: readonly string[];
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

const TERMS: ReviewTerms = { graceMs: 0, undoMs: 0, untaggedMs: 30 * 86_400_000, orphansMs: 86_400_000 };
/** Nothing is removed from a store by this process. */
const NO_STORE = { storeOf: () => 'none', removeMany: async () => new Map() } as unknown as BlobStore;

/**
 * Does the rounds of a review, of the removal of objects and of folding in this process until nothing is due, and asks for
 * the plan of every statement that was sent, as it would be sent now.
 */
export async function explainPass(databaseUrl: string): Promise<readonly ExplainedStatement[]> {
  const pool = createPool({
    url: databaseUrl,
    role: 'owner',
    poolSize: 1,
    statementTimeoutMs: 120_000,
    lockTimeoutMs: 5_000,
  });
  const sent = new Map<string, QueryConfig>();
  pool.on('connect', (client) => record(client, sent));
  try {
    await pass(pool);
    const big = await bigTables(pool);
    const explained: ExplainedStatement[] = [];
    for (const [name, query] of sent) explained.push(await explain(pool, { ...query, name }, big));
    return explained;
  } finally {
    await pool.end();
  }
}

async function pass(pool: Pool): Promise<void> {
  const { signal } = new AbortController();
  const review = { reviews: new PostgresReviews(pool), terms: TERMS, signal };
  while (await reviewContent(review, newReviewTally()));
  await removeDoomedObjects({ purge: new PostgresPurge(pool), store: NO_STORE, ratePerSecond: 0, signal });
  await foldUsage(new PostgresUsage(pool));
}

function record(client: PoolClient, sent: Map<string, QueryConfig>): void {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((query: unknown, ...rest: unknown[]) => {
    const { name } = typeof query === 'object' && query !== null ? (query as QueryConfig) : {};
    if (name !== undefined && !name.startsWith('explain') && !sent.has(name)) sent.set(name, query as QueryConfig);
    return send(query, ...rest);
  }) as typeof client.query;
}

/** Tables whose reading from end to end would take the longer the more is kept. */
async function bigTables(pool: Pool): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > $1`,
    [MANY_ROWS],
  );
  return new Set(rows.map(({ name }) => name));
}

async function explain(
  pool: Pool,
  { name = '', text, values }: QueryConfig,
  big: ReadonlySet<string>,
): Promise<ExplainedStatement> {
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>({
    name: `explain ${name}`,
    text: `EXPLAIN (FORMAT JSON) ${text}`,
    ...(values && { values }),
  });
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (!plan) throw new Error(`no plan of ${name}`);
  const read = nodesOf(plan).filter(
    (node) => node['Node Type'].includes('Scan') && node['Relation Name'] !== undefined,
  );
  const scanned = read.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'] ?? '');
  return { name, steps: [...new Set(read.map(formatNode))], scanned: scanned.filter((table) => big.has(table)) };
}

function formatNode(node: Plan): string {
  const index = node['Index Name'] === undefined ? '' : ` by ${node['Index Name']}`;
  return `${node['Node Type']} on ${node['Relation Name']}${index}`;
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
