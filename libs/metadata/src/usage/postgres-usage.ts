import type { FoldStep, NamedUsage, PendingChanges, TotalUsage, Usage } from '@entrepot/content';
import type { RepositoryName } from '@entrepot/oci';
import type pg from 'pg';
import { repeatRows, runUnitOfWork } from '../database/unit-of-work.js';
import { COUNT_BLOBS, countNamespaces, countRepositories } from './count-anew.js';
import { beginFold, foldChanges } from './fold-changes.js';
import { foldManifestUses } from './fold-manifest-uses.js';

interface FigureRow {
  readonly name: string;
  readonly manifests: string;
  readonly logical_bytes: string;
  readonly payload_bytes: string;
  readonly blobs: string;
  readonly blob_bytes: string;
}

const FIGURES = ['manifests', 'logical_bytes', 'payload_bytes', 'blobs', 'blob_bytes']
  .map((figure) => `coalesce(u.${figure}, 0) AS ${figure}`)
  .join(', ');

/** Where figures are read. */
interface Source {
  /** Relations with the columns of usage_repository, usage_namespace, and of usage_total's blobs. */
  readonly repositories: string;
  readonly namespaces: string;
  readonly blobs: string;
}

const FOLDED: Source = {
  repositories: 'usage_repository',
  namespaces: 'usage_namespace',
  blobs: '(SELECT blobs, blob_bytes FROM usage_total)',
};

const COUNTED: Source = {
  repositories: `(${countRepositories()})`,
  namespaces: `(${countNamespaces()})`,
  blobs: `(${COUNT_BLOBS})`,
};

export class PostgresUsage implements Usage {
  readonly #source: Source;

  /** `isCounted`: figures are counted from the content itself, which reads whole tables, in place of the folded ones. */
  constructor(
    private readonly pool: pg.Pool,
    { isCounted = false }: { readonly isCounted?: boolean } = {},
  ) {
    this.#source = isCounted ? COUNTED : FOLDED;
  }

  fold(limit: number): Promise<FoldStep> {
    return runUnitOfWork(this.pool, async (tx) => {
      await beginFold(tx);
      return foldChanges(tx, limit);
    });
  }

  foldManifestUses(limit: number): Promise<number> {
    return foldManifestUses(this.pool, limit);
  }

  async pending(): Promise<PendingChanges> {
    const [row] = await repeatRows<Record<'changes' | 'uses', string>>(this.pool, {
      text: `
        SELECT (SELECT count(*) FROM usage_link_delta) + (SELECT count(*) FROM usage_delta)
            + (SELECT count(*) FROM usage_store_delta) + (SELECT count(*) FROM usage_repository_mark) AS changes,
          (SELECT count(*) FROM manifest_use_mark) AS uses`,
    });
    return { usageChanges: Number(row?.changes), manifestUses: Number(row?.uses) };
  }

  async total(): Promise<TotalUsage> {
    const [row] = await repeatRows<
      FigureRow & Record<'waiting' | 'waiting_bytes' | 'freed_objects' | 'freed_bytes', string>
    >(this.pool, {
      text: `
          SELECT '' AS name, n.*, b.*, w.*, t.freed_objects, t.freed_bytes
          FROM usage_total t, ${this.#source.blobs} AS b,
            (SELECT coalesce(sum(manifests), 0) AS manifests, coalesce(sum(logical_bytes), 0) AS logical_bytes,
               coalesce(sum(payload_bytes), 0) AS payload_bytes FROM ${this.#source.namespaces} AS u) AS n,
            (SELECT count(*) AS waiting, coalesce(sum(size_bytes), 0) AS waiting_bytes FROM doomed_object) AS w`,
    });
    if (!row) throw new Error('the account of what is stored has no row');
    const { name: _, ...figures } = toUsage(row);
    return {
      ...figures,
      waiting: { objects: Number(row.waiting), bytes: Number(row.waiting_bytes) },
      freed: { objects: Number(row.freed_objects), bytes: Number(row.freed_bytes) },
    };
  }

  async namespaces(page: { last?: string; limit: number }): Promise<NamedUsage[]> {
    const rows = await repeatRows<FigureRow>(this.pool, {
      text: `
        SELECT n.name, ${FIGURES} FROM namespace n JOIN ${this.#source.namespaces} AS u ON u.namespace_id = n.id
        WHERE n.name > $1 ORDER BY n.name LIMIT $2`,
      values: [page.last ?? '', page.limit],
    });
    return rows.map(toUsage);
  }

  async repositories(namespace: string, page: { last?: string; limit: number }): Promise<NamedUsage[]> {
    const rows = await repeatRows<FigureRow>(this.pool, {
      text: `
        SELECT r.name, ${FIGURES} FROM repository r LEFT JOIN ${this.#source.repositories} AS u ON u.repository_id = r.id
        WHERE r.namespace_id = (SELECT id FROM namespace WHERE name = $1) AND r.deleted_at IS NULL AND r.name > $2
        ORDER BY r.name LIMIT $3`,
      values: [namespace, page.last ?? '', page.limit],
    });
    return rows.map(toUsage);
  }

  async ofNamespace(name: string): Promise<NamedUsage | undefined> {
    const [row] = await repeatRows<FigureRow>(this.pool, {
      text: `
        SELECT n.name, ${FIGURES} FROM namespace n LEFT JOIN ${this.#source.namespaces} AS u ON u.namespace_id = n.id
        WHERE n.name = $1`,
      values: [name],
    });
    return row && toUsage(row);
  }

  async ofRepository(name: RepositoryName): Promise<NamedUsage | undefined> {
    const [row] = await repeatRows<FigureRow>(this.pool, {
      text: `
        SELECT r.name, ${FIGURES} FROM repository r LEFT JOIN ${this.#source.repositories} AS u ON u.repository_id = r.id
        WHERE r.name = $1 AND r.deleted_at IS NULL`,
      values: [name],
    });
    return row && toUsage(row);
  }
}

function toUsage(row: FigureRow): NamedUsage {
  return {
    name: row.name,
    manifests: Number(row.manifests),
    logicalBytes: Number(row.logical_bytes),
    blobs: Number(row.blobs),
    deduplicatedBytes: Number(row.blob_bytes) + Number(row.payload_bytes),
  };
}
