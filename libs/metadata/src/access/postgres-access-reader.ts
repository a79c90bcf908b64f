import type { AccessFacts, AccessReader, HeldGrant, Role, ScopeTarget, Subject, Visibility } from '@entrepot/access';
import type pg from 'pg';
import { repeatRows } from '../database/unit-of-work.js';

interface AccessRow {
  readonly account_name: string | null;
  readonly is_admin: boolean | null;
  readonly is_disabled: boolean | null;
  readonly account_version: string | null;
  readonly name: string | null;
  readonly namespace_id: string | null;
  readonly repository_id: string | null;
  readonly visibility: Visibility | null;
  readonly repository_version: string | null;
  readonly membership: 'owner' | 'member' | null;
  readonly repository_roles: Role[] | null;
  readonly namespace_roles: Role[] | null;
}

/*
 * One row per name, and at least one for the account alone. It is one statement, so that versions and rights are of one
 * moment: a right that is withdrawn while a token is made is either not in it, or in it with the version from before.
 */
const LOAD_ACCESS = `
  SELECT own.name AS account_name, a.is_admin, a.is_disabled, a.access_version AS account_version,
    wanted.name, n.id AS namespace_id,
    r.id AS repository_id, r.visibility, r.access_version AS repository_version,
    m.role AS membership, held.repository_roles, held.namespace_roles
  FROM (SELECT $1::uuid AS account_id) asking
  LEFT JOIN account a ON a.id = asking.account_id
  LEFT JOIN namespace own ON own.id = a.id
  LEFT JOIN unnest($2::text[]) AS wanted (name) ON true
  LEFT JOIN namespace n ON n.name = split_part(wanted.name, '/', 1)
  LEFT JOIN repository r ON r.name = wanted.name
  LEFT JOIN organisation_member m ON m.namespace_id = n.id AND m.account_id = a.id
  LEFT JOIN LATERAL (
    SELECT array_agg(g.role) FILTER (WHERE g.repository_id IS NOT NULL) AS repository_roles,
      array_agg(g.role) FILTER (WHERE g.namespace_id IS NOT NULL) AS namespace_roles
    FROM access_grant g
    WHERE (g.repository_id = r.id OR g.namespace_id = n.id)
      AND (g.account_id = a.id OR g.team_id IN (SELECT t.team_id FROM team_member t WHERE t.account_id = a.id))
  ) held ON true`;

export class PostgresAccessReader implements AccessReader {
  constructor(private readonly pool: pg.Pool) {}

  async loadAccess(
    accountId: string | undefined,
    repositoryNames: readonly string[],
  ): Promise<AccessFacts | undefined> {
    const rows = await repeatRows<AccessRow>(this.pool, {
      name: 'load-access',
      text: LOAD_ACCESS,
      values: [accountId ?? null, repositoryNames],
    });
    const subject = accountId === undefined ? ({ kind: 'anonymous' } as const) : toSubject(accountId, rows);
    return subject && { subject, targets: new Map(rows.flatMap(toTarget)) };
  }
}

function toSubject(accountId: string, rows: readonly AccessRow[]): Subject | undefined {
  const [first] = rows;
  if (first?.account_name == null) return undefined;
  return {
    kind: 'account',
    accountId,
    name: first.account_name,
    isAdmin: first.is_admin === true,
    isDisabled: first.is_disabled !== false,
    accessVersion: Number(first.account_version),
    memberships: rows.flatMap(({ namespace_id: namespaceId, membership: role }) =>
      namespaceId !== null && role !== null ? [{ namespaceId, role }] : [],
    ),
    grants: rows.flatMap(toGrants),
  };
}

function toGrants(row: AccessRow): HeldGrant[] {
  const { repository_id: repositoryId, namespace_id: namespaceId } = row;
  const onRepository = repositoryId === null ? [] : (row.repository_roles ?? []);
  const onNamespace = namespaceId === null ? [] : (row.namespace_roles ?? []);
  return [
    ...onRepository.map((role) => ({ role, repositoryId: repositoryId ?? '' })),
    ...onNamespace.map((role) => ({ role, namespaceId: namespaceId ?? '' })),
  ];
}

function toTarget(row: AccessRow): [string, ScopeTarget][] {
  if (row.name === null || row.namespace_id === null) return [];
  const repository =
    row.repository_id === null || row.visibility === null
      ? undefined
      : { id: row.repository_id, visibility: row.visibility, accessVersion: Number(row.repository_version) };
  return [[row.name, { namespaceId: row.namespace_id, repository }]];
}
