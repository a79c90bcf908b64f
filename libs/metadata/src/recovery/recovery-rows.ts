import type { RecoveryKind, RecoveryRecord, StateRecord } from '@entrepot/content';
import { digestFromBytes } from '../database/digest-bytes.js';

/*
 * The state of rows as the log has it: what can be JSON is made so by Postgres, under the names of the records; bytes come
 * beside it. The letters are the aliases that queries give the tables.
 */
export const NAMESPACE_STATE = `jsonb_strip_nulls(jsonb_build_object(
  'id', n.id, 'name', n.name, 'ownedBy', n.kind, 'defaultVisibility', n.default_visibility, 'untagged', n.untagged))`;

export const REPOSITORY_STATE = `jsonb_strip_nulls(jsonb_build_object(
  'id', r.id, 'namespaceId', r.namespace_id, 'name', r.name, 'visibility', r.visibility, 'createdAt', r.created_at,
  'createdBy', r.created_by, 'deletedAt', r.deleted_at, 'deletedBy', r.deleted_by, 'deletedName', r.deleted_name))`;

export const MANIFEST_STATE = `jsonb_strip_nulls(jsonb_build_object(
  'repositoryId', m.repository_id, 'mediaType', m.media_type, 'pushedAt', m.pushed_at, 'pushedBy', m.pushed_by,
  'deletedAt', m.deleted_at, 'deletedBy', m.deleted_by))`;

export const TAG_STATE = `jsonb_strip_nulls(jsonb_build_object(
  'repositoryId', t.repository_id, 'name', t.name, 'updatedAt', t.updated_at, 'updatedBy', t.updated_by))`;

/** What a manifest names and waits for; null for most. */
export const AWAITED = `(SELECT array_agg(s.digest ORDER BY s.digest) FROM sparse_reference s WHERE s.manifest_id = m.id)`;

export interface StateRow {
  readonly kind: RecoveryKind;
  readonly state: object;
  /** Of the manifest, or of what the tag points at. */
  readonly digest: Buffer | null;
  readonly payload: Buffer | null;
  readonly awaited: readonly Buffer[] | null;
}

export interface MarkedRow extends Omit<StateRow, 'state'> {
  readonly owner_id: string;
  readonly key: Buffer;
  /** Null where the row is gone. */
  readonly state: object | null;
}

export function toStateRecord({ kind, state, digest, payload, awaited }: StateRow): StateRecord {
  return {
    kind,
    ...state,
    ...(digest && { digest: digestFromBytes(digest) }),
    ...(payload && { payload }),
    ...(awaited && { awaited: awaited.map(digestFromBytes) }),
  } as StateRecord;
}

export function toRecord({ state, ...row }: MarkedRow): RecoveryRecord {
  if (state !== null) return toStateRecord({ ...row, state });
  const { kind, owner_id: id, key } = row;
  switch (kind) {
    case 'namespace':
    case 'repository':
      return { kind, id, isGone: true };
    case 'manifest':
      return { kind, repositoryId: id, digest: digestFromBytes(key), isGone: true };
    case 'tag':
      return { kind, repositoryId: id, name: key.toString() as never, isGone: true };
  }
}
