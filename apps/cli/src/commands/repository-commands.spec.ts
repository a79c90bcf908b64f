import { createPool, migrate } from '@entrepot/metadata';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addRepositoryCommands } from './repository-commands.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let owner: ReturnType<typeof createPool>;

beforeAll(async () => {
  const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  owner = createPool({ url: database.url, role: 'owner', poolSize: 1, ...timeouts });
  await owner.query(`INSERT INTO namespace (id, name, kind) VALUES ($1, 'user', 'user')`, [randomUUID()]);
});
afterAll(() => owner.end());

async function createRepository(): Promise<string> {
  const { rows } = await owner.query<{ id: string }>(
    `INSERT INTO repository (id, namespace_id, name) SELECT $1, id, 'user/app' FROM namespace RETURNING id`,
    [randomUUID()],
  );
  return rows[0]?.id ?? '';
}

async function run(...args: string[]): Promise<string> {
  const written: string[] = [];
  const program = new Command();
  const source = { environment: { ENTREPOT_DATABASE_URL: database.url } };
  addRepositoryCommands(program, {
    source,
    write: (text) => void written.push(text),
    tell: () => undefined,
    readInput: async () => '',
  });
  await program.parseAsync(args, { from: 'user' });
  return written.join('');
}

const isThere = async (id: string) => (await owner.query('SELECT FROM repository WHERE id = $1', [id])).rows.length > 0;

describe('repo delete --purge', () => {
  it('removes the repository at once', async () => {
    const id = await createRepository();
    expect(await run('repo', 'delete', '--purge', 'user/app')).toBe('purged the repository user/app\n');
    expect(await isThere(id)).toBe(false);
  });

  it('is done where something keeps its rows from being removed, and says that they are left', async () => {
    const stuck = await createRepository();
    await owner.query('CREATE TABLE obstacle (id uuid REFERENCES repository)');
    await owner.query('INSERT INTO obstacle VALUES ($1)', [stuck]);
    const told = 'purged the repository user/app; a worker removes the rest\n';
    expect(await run('repo', 'delete', '--purge', 'user/app')).toBe(told);
    expect(await isThere(stuck)).toBe(true);
    const next = await createRepository();
    expect(await run('repo', 'delete', '--purge', 'user/app')).toBe(told);
    expect(await isThere(next)).toBe(false);
    await expect(run('repo', 'restore', 'user/app')).rejects.toThrow(/cannot be restored|no deleted repository/);
  });
});
