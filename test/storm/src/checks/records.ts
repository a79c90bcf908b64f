import type { Pool } from 'pg';
import type { Tally } from '../actors/storm.js';
import { Violation } from '../model/violation.js';

/** Audit actions, and the answers that acknowledge what they record. */
const RECORDED: readonly (readonly [string, string])[] = [
  ['manifest.pushed', 'PUT manifest 201'],
  ['manifest.deleted', 'DELETE manifest 202'],
  ['tag.deleted', 'DELETE tag 202'],
  ['blob.deleted', 'DELETE blob 202'],
];

/** Of the repositories of a storm; others may be at work in others. */
const AUDITED = `SELECT count(*)::int AS n FROM audit_event WHERE action = $1 AND target LIKE 'admin/%'`;
const TOLD = `SELECT count(*)::int AS n FROM outbox_event WHERE kind = $1 AND payload ->> 'repository' LIKE 'admin/%'`;

const BROKEN_CHAIN = `
  SELECT name FROM (
    SELECT name, previous_digest, lag(digest) OVER (PARTITION BY repository_id, name ORDER BY id) AS before,
      row_number() OVER (PARTITION BY repository_id, name ORDER BY id) AS place
    FROM tag_history) AS h
  WHERE place > 1 AND previous_digest IS DISTINCT FROM before`;

/** Each acknowledged change has its audit row and its event, once (INV-8, INV-12); histories of tags chain (INV-4). */
export async function checkRecords(database: Pool, tally: Tally): Promise<string> {
  let changes = 0;
  for (const [action, answer] of RECORDED) {
    const acknowledged = tally.get(answer) ?? 0;
    const audited = await counted(database, AUDITED, action);
    const told = await counted(database, TOLD, action);
    expectEqual(`INV-12: audit rows of ${action}`, audited, acknowledged);
    expectEqual(`INV-8: events of ${action}`, told, acknowledged);
    changes += acknowledged;
  }
  const { rows } = await database.query<{ name: string }>(BROKEN_CHAIN);
  if (rows.length > 0) throw new Violation('INV-4', `the history of ${rows[0]?.name} does not chain`);
  return `${changes} changes are in the audit and in the events once each, and histories of tags chain`;
}

async function counted(database: Pool, text: string, value: string): Promise<number> {
  return (await database.query<{ n: number }>(text, [value])).rows[0]?.n ?? 0;
}

function expectEqual(what: string, found: number, acknowledged: number): void {
  if (found !== acknowledged) throw new Violation(what, `${found}, and ${acknowledged} changes were acknowledged`);
}
