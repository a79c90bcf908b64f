import {
  checkInvariants,
  inspectDatabase,
  pendingMigrations,
  type DatabaseFacts,
  type DatabasePool,
} from '@entrepot/metadata';
import type { Findings } from './finding.js';

const OLDEST_VERSION = 150_000;
/** Of all connections that a server takes. */
const CROWDED = 0.8;
const INVARIANT_LIMIT_MS = 700;

/** The server, its schema, and what must hold of the rows. */
export async function checkDatabase(pool: DatabasePool, findings: Findings): Promise<void> {
  const facts = await inspectDatabase(pool);
  checkServer(facts, findings);
  const pending = await pendingMigrations(pool);
  if (pending.length > 0) {
    const names = pending.map(({ name }) => name).join(', ');
    findings.fail(`the schema lacks ${names}`, "run 'entrepot migrate'");
    return;
  }
  checkCatalog(facts, findings);
  await checkRows(pool, findings);
}

function checkServer(
  { version, isReplica, unsafeSettings, connections, longTransactions }: DatabaseFacts,
  findings: Findings,
): void {
  const number = `${Math.floor(version / 10_000)}.${version % 10_000}`;
  if (version < OLDEST_VERSION) findings.fail(`Postgres ${number} is too old`, 'upgrade it to 15 or newer');
  else findings.ok(`Postgres ${number}, ${connections.open} of ${connections.most} connections in use`);
  if (isReplica) {
    findings.fail('the server is a replica: nothing can be written', 'point ENTREPOT_DATABASE_URL at the primary');
  }
  for (const setting of unsafeSettings) {
    findings.warn(
      `${setting}: a crash of the server loses what was acknowledged`,
      'turn it on, and restart the server',
    );
  }
  if (connections.open > connections.most * CROWDED) {
    findings.warn(
      `${connections.open} of ${connections.most} connections are in use`,
      'raise max_connections, or put PgBouncer before it (docs/database.md)',
    );
  }
  for (const { seconds, application, pid } of longTransactions) {
    findings.warn(
      `a transaction of ${application || 'an unnamed program'} has been open for ${Math.floor(seconds / 60)} minutes`,
      `end it: SELECT pg_terminate_backend(${pid})`,
    );
  }
}

function checkCatalog({ invalidConstraints, invalidIndexes }: DatabaseFacts, findings: Findings): void {
  for (const name of invalidConstraints) {
    const [table = '', constraint = ''] = name.split('.');
    findings.fail(
      `the constraint ${name} was never validated`,
      `ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint}`,
    );
  }
  for (const name of invalidIndexes) findings.fail(`the index ${name} is not whole`, `REINDEX INDEX ${name}`);
  if (invalidConstraints.length + invalidIndexes.length === 0) findings.ok('the schema is up to date, and whole');
}

async function checkRows(pool: DatabasePool, findings: Findings): Promise<void> {
  const reports = await checkInvariants(pool, INVARIANT_LIMIT_MS);
  const held = reports.filter(({ outcome }) => outcome === 'held').length;
  const unfinished = reports.filter(({ outcome }) => outcome === 'unfinished').length;
  const rest = unfinished === 0 ? '' : `; ${unfinished} would take too long here, 'entrepot fsck' looks at them`;
  findings.ok(`${held} of ${reports.length} invariants hold${rest}`);
  for (const { name, outcome, examples } of reports) {
    if (outcome !== 'broken') continue;
    findings.fail(`it does not hold that ${name}: ${examples.join(', ')}`, "run 'entrepot fsck', and report it");
  }
}
