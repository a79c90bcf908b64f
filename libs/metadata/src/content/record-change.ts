import type { Actor, ChangeRecord } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';

export interface AuditEntry {
  readonly actor: Actor;
  readonly action: string;
  readonly target: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export async function insertAudit(tx: Queryable, { actor, action, target, detail }: AuditEntry): Promise<void> {
  await tx.query({
    name: 'insert-audit',
    text: 'INSERT INTO audit_event (actor_id, actor_name, action, target, detail) VALUES ($1, $2, $3, $4, $5)',
    values: [actor.id, actor.name, action, target, JSON.stringify(detail)],
  });
}

export interface OutboxEvent {
  /** Names the change: a transaction whose COMMIT was not answered is found by it. */
  readonly id: string;
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export async function insertOutbox(tx: Queryable, { id, kind, payload }: OutboxEvent): Promise<void> {
  await tx.query({
    name: 'insert-outbox',
    text: 'INSERT INTO outbox_event (id, kind, payload) VALUES ($1, $2, $3)',
    values: [id, kind, JSON.stringify(payload)],
  });
}

/** Audit, event and usage of one change of content, in one statement. The event has the change's id. */
export async function recordChange(tx: Queryable, changeId: string, change: ChangeRecord): Promise<void> {
  const { actor, repositoryId, repositoryName, kind, detail } = change;
  const payload = { repositoryId, repository: repositoryName, actor: actor.name, ...detail };
  await tx.query({
    name: 'record-change',
    text: `
      WITH audit AS (
        INSERT INTO audit_event (actor_id, actor_name, action, target, detail) VALUES ($1, $2, $3, $4, $5)),
      usage AS (
        INSERT INTO usage_delta (repository_id, manifests, size_bytes)
        SELECT $6, $7::integer, $8::bigint WHERE $7::integer <> 0 OR $8::bigint <> 0)
      INSERT INTO outbox_event (id, kind, payload) VALUES ($9, $3, $10)`,
    values: [
      actor.id,
      actor.name,
      kind,
      repositoryName,
      JSON.stringify(detail),
      repositoryId,
      change.manifests,
      change.sizeBytes,
      changeId,
      JSON.stringify(payload),
    ],
  });
}
