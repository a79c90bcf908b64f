import { randomInt, randomUUID } from 'node:crypto';
import { decide } from '@entrepot/access';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresAccessReader, PostgresContentReader, createPool, migrate } from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });

let pool: Pool;
let names: string[];
const accounts: string[] = [];

const oneOf = <T>(items: readonly T[]): T => items[randomInt(items.length)] as T;
const insert = (text: string, values: unknown[]) => pool.query(`INSERT INTO ${text} ON CONFLICT DO NOTHING`, values);

/** Users, organisations, teams, repositories and grants at random; an administrator and a disabled account among them. */
beforeAll(async () => {
  const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  pool = createPool({ url: database.url, role: 'owner', poolSize: 4, ...timeouts });
  const namespaces: { id: string; name: string }[] = [];
  const teams: string[] = [];
  for (let index = 0; index < 12; index++) {
    const namespace = { id: randomUUID(), name: `n${index}` };
    namespaces.push(namespace);
    const kind = index < 8 ? 'user' : 'organisation';
    await insert('namespace (id, name, kind) VALUES ($1, $2, $3)', [namespace.id, namespace.name, kind]);
    if (index >= 8) continue;
    accounts.push(namespace.id);
    await insert('account (id, is_admin, is_disabled) VALUES ($1, $2, $3)', [namespace.id, index === 0, index === 1]);
  }
  const organisations = namespaces.slice(8);
  for (let index = 0; index < 10; index++) {
    const member = [oneOf(organisations).id, oneOf(accounts), oneOf(['owner', 'member'])];
    await insert('organisation_member (namespace_id, account_id, role) VALUES ($1, $2, $3)', member);
    const team = randomUUID();
    teams.push(team);
    await insert('team (id, namespace_id, name) VALUES ($1, $2, $3)', [team, oneOf(organisations).id, `t${index}`]);
    await insert('team_member (team_id, account_id) VALUES ($1, $2)', [team, oneOf(accounts)]);
  }
  const repositories: string[] = [];
  for (let index = 0; index < 60; index++) {
    const id = randomUUID();
    const { id: namespaceId, name } = oneOf(namespaces);
    repositories.push(id);
    const row = [id, namespaceId, `${name}/r${index}`, index % 5 === 0 ? 'public' : 'private'];
    await insert('repository (id, namespace_id, name, visibility) VALUES ($1, $2, $3, $4)', row);
  }
  for (let index = 0; index < 40; index++) {
    const onRepository = index % 3 > 0;
    const toTeam = index % 2 > 0;
    await insert(
      'access_grant (id, repository_id, namespace_id, team_id, account_id, role) VALUES ($1, $2, $3, $4, $5, $6)',
      [
        randomUUID(),
        onRepository ? oneOf(repositories) : null,
        onRepository ? null : oneOf(organisations).id,
        toTeam ? oneOf(teams) : null,
        toTeam ? null : oneOf(accounts),
        oneOf(['read', 'write', 'admin']),
      ],
    );
  }
  names = (await pool.query<{ name: string }>('SELECT name FROM repository ORDER BY name')).rows.map((row) => row.name);
});

afterAll(() => pool.end());

describe('VISIBLE_REPOSITORY', () => {
  it('shows each account, and anonymous callers, exactly what decide lets them pull', async () => {
    const reader = new PostgresContentReader(pool, pool);
    const access = new PostgresAccessReader(pool);
    for (const accountId of [undefined, ...accounts]) {
      const facts = await access.loadAccess(accountId, names);
      const expected = names.filter((name) => {
        const target = facts?.targets.get(name);
        if (!facts || !target?.repository) return false;
        const { id, visibility } = target.repository;
        const resource = { kind: 'repository', repositoryId: id, namespaceId: target.namespaceId, visibility } as const;
        return decide(facts.subject, 'pull', resource);
      });
      const seen = await reader.catalog(accountId === undefined ? {} : { accountId }, { limit: 1000 });
      expect(seen).toEqual(expected);
    }
  });

  it('pages through all of it', async () => {
    const reader = new PostgresContentReader(pool, pool);
    const viewer = { accountId: accounts[0] as string };
    const pages: string[] = [];
    for (let last = ''; ; last = pages.at(-1) ?? '') {
      const page = await reader.catalog(viewer, { last, limit: 7 });
      pages.push(...page);
      if (page.length < 7) break;
    }
    expect(pages).toEqual(names);
  });
});
