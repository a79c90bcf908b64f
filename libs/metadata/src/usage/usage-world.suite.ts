import { createHash, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';

export interface Operation {
  readonly kind:
    | 'link'
    | 'unlink'
    | 'removeBlob'
    | 'push'
    | 'delete'
    | 'restore'
    | 'remove'
    | 'hide'
    | 'show'
    | 'move'
    | 'purge'
    | 'fold';
  readonly repository: number;
  /** Which blob, manifest or namespace. */
  readonly item: number;
}

interface Slot {
  id: string;
  namespace: string;
}

const SLOTS = 6;
const NAMESPACES = 3;
/** What two that meet may tell each other: foreign key, unique key, deadlock. */
const REFUSALS = new Set(['23503', '23505', '40P01']);

/**
 * A few repositories in a few namespaces, and the statements by which the product changes what they hold, in any order.
 * One that has nothing to do does nothing; one that meets another may be refused, and is then undone.
 */
export class UsageWorld {
  readonly namespaces: readonly string[] = Array.from({ length: NAMESPACES }, () => `n-${randomUUID().slice(0, 12)}`);
  readonly #seed = randomUUID();
  readonly #slots: Slot[] = [];

  constructor(private readonly pool: Pool) {}

  async open(): Promise<void> {
    for (const name of this.namespaces) {
      await this.pool.query(`INSERT INTO namespace (id, name, kind) VALUES (gen_random_uuid(), $1, 'organisation')`, [
        name,
      ]);
    }
    for (let slot = 0; slot < SLOTS; slot += 1) await this.#create(slot);
  }

  blobBytes(item: number): number {
    return 1000 + item;
  }

  payloadBytes(item: number): number {
    return Buffer.byteLength(this.#payload(item));
  }

  namespaceOf(repository: number): string {
    return this.#slot(repository).namespace;
  }

  repositoryName(repository: number): string {
    const { namespace, id } = this.#slot(repository);
    return `${namespace}/${id}`;
  }

  async run(operation: Operation): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      for (const [text, values] of this.#statements(operation)) await client.query(text, values);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      if (!REFUSALS.has((error as { code?: string }).code ?? '')) throw error;
    } finally {
      client.release();
    }
    if (operation.kind === 'purge') await this.#create(operation.repository);
  }

  async #create(slot: number): Promise<void> {
    const namespace = this.namespaces[slot < 2 ? 0 : slot % NAMESPACES] ?? '';
    const id = randomUUID();
    await this.pool.query(
      `INSERT INTO repository (id, namespace_id, name) SELECT $1::uuid, id, name || '/' || $1::uuid FROM namespace WHERE name = $2`,
      [id, namespace],
    );
    this.#slots[slot] = { id, namespace };
  }

  #slot(index: number): Slot {
    const slot = this.#slots[index];
    if (!slot) throw new Error('no such repository');
    return slot;
  }

  #digest(item: number): Buffer {
    return Buffer.concat([Buffer.from([1]), createHash('sha256').update(`${this.#seed} ${item}`).digest()]);
  }

  #payload(item: number): string {
    return 'x'.repeat(100 + item);
  }

  #statements({ kind, repository, item }: Operation): [string, unknown[]][] {
    const { id } = this.#slot(repository);
    const digest = this.#digest(item);
    switch (kind) {
      case 'link':
        return [[LINK, [id, digest, this.blobBytes(item), randomUUID()]]];
      case 'unlink':
        return [[UNLINK, [id, digest]]];
      case 'removeBlob':
        return [['DELETE FROM blob WHERE digest = $1', [digest]]];
      case 'push':
        return [[PUSH, [id, digest, this.#payload(item)]]];
      case 'delete':
        return [[SET_DELETED, [id, digest, true]]];
      case 'restore':
        return [[SET_DELETED, [id, digest, false]]];
      case 'remove':
        return REMOVE.map((text) => [text, [id, digest]]);
      case 'hide':
        return [
          ['UPDATE repository SET deleted_at = now(), deleted_name = name WHERE id = $1 AND deleted_at IS NULL', [id]],
        ];
      case 'show':
        return [['UPDATE repository SET deleted_at = NULL, deleted_name = NULL WHERE id = $1', [id]]];
      case 'move':
        return [[MOVE, [id, this.namespaces[item % NAMESPACES]]]];
      case 'purge':
        return PURGE.map((text) => [text, [id]]);
      case 'fold':
        return [];
    }
  }
}

const LINK = `
  WITH held AS (
    INSERT INTO blob (digest, size_bytes, object_key) VALUES ($2, $3, $4)
    ON CONFLICT (digest) DO UPDATE SET seen_at = now() RETURNING digest)
  INSERT INTO repository_blob (repository_id, digest) SELECT $1, digest FROM held
  ON CONFLICT (repository_id, digest) DO UPDATE SET linked_at = now()`;

const UNLINK = 'DELETE FROM repository_blob WHERE repository_id = $1 AND digest = $2';

/** A manifest that names the blob of the same number, where that is held. Its digest is the blob's: they never meet. */
const PUSH = `
  WITH pushed AS (
    INSERT INTO manifest (repository_id, digest, media_type, payload)
    SELECT $1, $2::bytea, 'x', convert_to($3, 'UTF8')
    FROM repository_blob WHERE repository_id = $1 AND digest = $2
    ON CONFLICT (repository_id, digest) DO NOTHING
    RETURNING id, octet_length(payload) AS size_bytes),
  named AS (
    INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
    SELECT p.id, $1, $2, b.size_bytes FROM pushed p, blob b WHERE b.digest = $2 RETURNING size_bytes)
  INSERT INTO usage_delta (repository_id, manifests, size_bytes)
  SELECT $1, 1, p.size_bytes + n.size_bytes FROM pushed p, named n`;

const WORTH = `octet_length(m.payload) + (SELECT coalesce(sum(b.size_bytes), 0) FROM manifest_blob b WHERE b.manifest_id = m.id)`;

const SET_DELETED = `
  WITH changed AS (
    UPDATE manifest m SET deleted_at = CASE WHEN $3 THEN now() END
    WHERE m.repository_id = $1 AND m.digest = $2 AND (m.deleted_at IS NULL) = $3
    RETURNING ${WORTH} AS size_bytes)
  INSERT INTO usage_delta (repository_id, manifests, size_bytes)
  SELECT $1, CASE WHEN $3 THEN -1 ELSE 1 END, CASE WHEN $3 THEN -size_bytes ELSE size_bytes END FROM changed`;

const REMOVE = [
  'SELECT FROM manifest WHERE repository_id = $1 AND digest = $2 FOR UPDATE',
  `INSERT INTO usage_delta (repository_id, manifests, size_bytes)
   SELECT $1, -1, -(${WORTH}) FROM manifest m WHERE m.repository_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL`,
  `DELETE FROM manifest_blob b USING manifest m WHERE m.id = b.manifest_id AND m.repository_id = $1 AND m.digest = $2`,
  'DELETE FROM manifest WHERE repository_id = $1 AND digest = $2',
];

const MOVE = `
  UPDATE repository r SET namespace_id = n.id, name = n.name || '/' || r.id FROM namespace n WHERE n.name = $2 AND r.id = $1`;

const PURGE = [
  'SELECT FROM repository WHERE id = $1 FOR UPDATE',
  'DELETE FROM manifest_blob WHERE repository_id = $1',
  'DELETE FROM manifest WHERE repository_id = $1',
  'DELETE FROM repository_blob WHERE repository_id = $1',
  'DELETE FROM repository WHERE id = $1',
];
