import type { NewRepository, Repositories, Repository } from '@entrepot/content';
import type { RepositoryName } from '@entrepot/oci';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { repeatRows, runUnitOfWork } from '../database/unit-of-work.js';
import { insertAudit, insertOutbox } from './record-change.js';

interface RepositoryRow {
  readonly id: string;
  readonly namespace_id: string;
  readonly name: RepositoryName;
  readonly created_by: string | null;
}

const COLUMNS = 'id, namespace_id, name, created_by';

function toRepository(row: RepositoryRow): Repository {
  return {
    id: row.id,
    namespaceId: row.namespace_id,
    name: row.name,
    ...(row.created_by !== null && { createdBy: row.created_by }),
  };
}

export class PostgresRepositories implements Repositories {
  constructor(private readonly pool: pg.Pool) {}

  async find(name: RepositoryName): Promise<Repository | undefined> {
    const text = `SELECT ${COLUMNS} FROM repository WHERE name = $1`;
    const [row] = await repeatRows<RepositoryRow>(this.pool, { name: 'repository', text, values: [name] });
    return row && toRepository(row);
  }

  async findOrCreate(wanted: NewRepository): Promise<Repository | undefined> {
    const existing = await this.find(wanted.name);
    if (existing) return existing;
    const changeId = randomUUID();
    const created = await runUnitOfWork(this.pool, (tx) => createRepository(tx, changeId, wanted), changeId);
    // Another push may have been first: then ours inserted nothing, and theirs is committed by now.
    return created ?? this.find(wanted.name);
  }
}

async function createRepository(
  tx: pg.PoolClient,
  changeId: string,
  wanted: NewRepository,
): Promise<Repository | undefined> {
  const { createdBy: actor } = wanted;
  const { rows } = await tx.query<RepositoryRow>({
    name: 'create-repository',
    text: `
      INSERT INTO repository (id, namespace_id, name, visibility, created_by)
      SELECT $1, n.id, $2, n.default_visibility, $4 FROM namespace n WHERE n.id = $3
      ON CONFLICT (name) DO NOTHING
      RETURNING ${COLUMNS}`,
    values: [randomUUID(), wanted.name, wanted.namespaceId, actor.id],
  });
  const [row] = rows;
  if (!row) return undefined;
  await insertAudit(tx, { actor, action: 'repository.created', target: wanted.name, detail: { by: 'push' } });
  const payload = { repositoryId: row.id, repository: wanted.name, actor: actor.name };
  await insertOutbox(tx, { id: changeId, kind: 'repository.created', payload });
  return toRepository(row);
}
