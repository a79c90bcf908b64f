import { randomUUID } from 'node:crypto';
import { PostgresContentReader, PostgresRepositories, PostgresUploads, createPool, migrate } from '@entrepot/metadata';
import { parseDigest, parseRepositoryName, parseTag } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScale, type ScaleData } from './scale-data.js';

/** Enough that no planner reads a table from end to end for a page of it. */
const SIZE = { repositories: 20_000, tags: 200_000, referrers: 5_000 };
/** Blocks of 8 KiB that one request may look at; the tables have thousands. */
const MOST_BLOCKS = 700;
const BIG_TABLES = new Set(['repository', 'manifest', 'tag']);

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const viewerId = randomUUID();
let pool: Pool;
let data: ScaleData;
let reader: PostgresContentReader;
/** Statements that were sent while a test wants to know. */
let recorded: QueryConfig[] | undefined;

beforeAll(async () => {
  pool = createPool({
    url: database.url,
    role: 'owner',
    poolSize: 1,
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 5_000,
  });
  pool.on('connect', recordStatements);
  await pool.query(`INSERT INTO namespace (id, name, kind) VALUES ($1, 'viewer', 'user')`, [viewerId]);
  await pool.query('INSERT INTO account (id) VALUES ($1)', [viewerId]);
  data = await loadScale(database.url, { ...SIZE, viewer: 'viewer' });
  // What a statement that was prepared once is run with from its sixth time on.
  await pool.query('SET plan_cache_mode = force_generic_plan');
  reader = new PostgresContentReader(pool, pool);
}, 180_000);

afterAll(() => pool.end());

describe('with very many repositories, tags and referrers', () => {
  it('manifests are found by tag and digest', async () => {
    const { id } = await repository(data.repository);
    const tagged = await cheap(() => reader.manifestByTag(id, parseTag(data.tag)));
    expect(tagged?.digest).toBe(data.digest);
    expect(await cheap(() => reader.manifestByDigest(id, parseDigest(data.digest)))).toEqual(tagged);
  });

  it('tags come in pages, from the beginning and the middle', async () => {
    const { id } = await repository(data.repository);
    expect(await cheap(() => reader.tags(id, { limit: 1001 }))).toHaveLength(1001);
    expect(await cheap(() => reader.tags(id, { last: data.tag, limit: 1001 }))).toHaveLength(1001);
  });

  it('referrers come in pages', async () => {
    const { id } = await repository(data.repository);
    const query = { repositoryId: id, subject: parseDigest(data.subject), limit: 100, limitBytes: 1024 * 1024 };
    const { referrers } = await cheap(() => reader.referrers(query));
    expect(referrers).toHaveLength(100);
    const last = referrers[99]?.digest ?? parseDigest(data.subject);
    expect((await cheap(() => reader.referrers({ ...query, last }))).referrers).toHaveLength(100);
  });

  it('the catalog of one who sees few, of an administrator and of nobody are pages', async () => {
    const few = await cheap(() => reader.catalog({ accountId: viewerId }, { limit: 1001 }));
    expect(few).toHaveLength(data.visible);
    const half = { last: data.smallRepository, limit: 1001 };
    expect((await cheap(() => reader.catalog({ accountId: viewerId }, half))).length).toBeLessThan(few.length);
    expect(await cheap(() => reader.catalog({}, { limit: 101 }))).toEqual([]);
    await pool.query('UPDATE account SET is_admin = true WHERE id = $1', [viewerId]);
    expect(await cheap(() => reader.catalog({ accountId: viewerId }, { ...half, limit: 101 }))).toHaveLength(101);
  });

  it('blobs that all hold are found in one, and mounts look at a bounded number of links', async () => {
    const digest = parseDigest(`sha256:${'0'.repeat(64)}`);
    const bytes = Buffer.from(`01${'0'.repeat(64)}`, 'hex');
    await pool.query(`INSERT INTO blob (digest, size_bytes, object_key) VALUES ($1, 1, 'k')`, [bytes]);
    await pool.query('INSERT INTO repository_blob (repository_id, digest) SELECT id, $1 FROM repository', [bytes]);
    await pool.query('ANALYZE repository_blob');
    const [target, source] = [await repository(data.smallRepository), await repository(data.repository)];
    await pool.query('DELETE FROM repository_blob WHERE repository_id = $1', [target.id]);
    expect(await cheap(() => reader.blob(source.id, digest))).toMatchObject({ sizeBytes: 1 });
    const mount = { repositoryId: target.id, digest, graceMs: 1000 };
    const uploads = new PostgresUploads(pool);
    await cheap(() => uploads.mount({ ...mount, source: { viewer: {} } }), 10 * MOST_BLOCKS);
    expect(await cheap(() => uploads.mount({ ...mount, source: { repositoryId: source.id } }))).toBe(true);
  });
});

async function repository(name: string) {
  const found = await new PostgresRepositories(pool).find(parseRepositoryName(name));
  if (!found) throw new Error(`${name} was not loaded`);
  return found;
}

/** Runs the read, and again under EXPLAIN each statement that it sent: none may read a big table from end to end. */
async function cheap<T>(read: () => Promise<T>, mostBlocks = MOST_BLOCKS): Promise<T> {
  const sent: QueryConfig[] = [];
  recorded = sent;
  const result = await read();
  recorded = undefined;
  expect(sent.length).toBeGreaterThan(0);
  for (const query of sent) await expectIndexed(query, mostBlocks);
  return result;
}

function recordStatements(client: PoolClient): void {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((query: QueryConfig, ...rest: unknown[]) => {
    recorded?.push(query);
    return send(query, ...rest);
  }) as typeof client.query;
}

async function expectIndexed({ text, values }: QueryConfig, mostBlocks: number): Promise<void> {
  const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: Plan }[] }>({
    name: `explain ${text.length}`,
    text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
    ...(values && { values }),
  });
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (!plan) throw new Error('no plan');
  const scanned = nodesOf(plan).filter((node) => node['Node Type'] === 'Seq Scan');
  const found = scanned.map((node) => node['Relation Name'] ?? '').filter((table) => BIG_TABLES.has(table));
  expect({ text, found }).toEqual({ text, found: [] });
  expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(mostBlocks);
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
