import { Random } from '@entrepot/testkit/random';
import { parseDuration } from '@entrepot/oci';
import { Pool } from 'pg';
import { work } from './actors/owner.js';
import { read } from './actors/reader.js';
import type { Storm, Tally } from './actors/storm.js';
import { checkByFsck, checkUsage } from './checks/books.js';
import { checkObjects } from './checks/objects.js';
import { checkPulls } from './checks/pulls.js';
import { untilQuiet } from './checks/quiet.js';
import { checkRecords } from './checks/records.js';
import { checkRows } from './checks/rows.js';
import { makeBlobs, makeManifests } from './model/contents.js';
import { Group } from './model/group.js';
import type { StormOptions } from './options.js';
import { StormClient } from './world/client.js';
import { findCluster, startCluster, type Cluster } from './world/cluster.js';
import { openUndo, type Undo } from './world/undo.js';

const OWNERS = 8;
const READERS = 4;
const SHARED = ['admin/app0', 'admin/app1', 'admin/app2', 'admin/app3', 'admin/app4', 'admin/app5'];
/** Owners that have a further repository to themselves, which they delete now and then. */
const LANDLORDS = 3;
const BLOB_COUNT = 120;
/** Repositories that each owner pushes to. */
const REPOSITORIES_EACH = 2;
const TAGS = ['a', 'b', 'c', 'd'];
const PROGRESS_MS = 5000;

type Say = (line: string) => void;

/** Runs a storm to its end and checks what it left. Resolves with the report; rejects with a `Violation`. */
export async function runStorm(options: StormOptions, say: Say, ending: AbortSignal): Promise<readonly string[]> {
  const { against } = options;
  const cluster = await (against === undefined
    ? startCluster({ ...options, settings: settingsOf(options) })
    : findCluster(against));
  const database = new Pool({ connectionString: cluster.databaseUrl, max: 2 });
  const terms = { graceMs: durationMs(options.grace), undoMs: durationMs(options.undo) };
  const undo = await openUndo(cluster.databaseUrl, terms);
  try {
    const owners = makeOwners(options.seed);
    const storm = await prepare({ cluster, undo, options, owners, ending });
    const report = await rage(storm, owners, say);
    return [...report, ...(await check(storm, { cluster, database, say }))];
  } finally {
    await undo.close();
    await database.end();
    await cluster.remove();
  }
}

/** Collectors that never rest, and nothing that waits but what a storm is asked to wait for. */
function settingsOf({ grace, undo }: StormOptions): Record<string, string> {
  return {
    ENTREPOT_GC_GRACE: grace,
    ENTREPOT_GC_UNDO: undo,
    ENTREPOT_GC_UNTAGGED: grace,
    ENTREPOT_GC_ORPHANS: grace,
    ENTREPOT_GC_INTERVAL: '500ms',
    ENTREPOT_GC_REMOVAL_RATE: '0',
    ENTREPOT_LOG_LEVEL: 'warn',
  };
}

/** The options were parsed by the product as well, which refuses what is none. */
function durationMs(text: string): number {
  return parseDuration(text) ?? 0;
}

interface Owner {
  readonly groups: readonly Group[];
  /** The one in a repository of its own. */
  readonly own?: Group;
}

interface Contents {
  readonly blobs: Storm['blobs'];
  readonly owners: readonly Owner[];
}

function makeOwners(seed: number): Contents {
  const random = new Random(seed);
  const blobs = makeBlobs(random, BLOB_COUNT);
  const newGroup = (repository: string, owner: string) => {
    const tags = TAGS.map((tag) => `${owner}-${tag}`);
    return new Group(repository, owner, makeManifests(random, `${owner} ${repository}`, blobs), tags);
  };
  const owners = Array.from({ length: OWNERS }, (_, at) => {
    const name = `owner${at}`;
    const groups = Array.from({ length: REPOSITORIES_EACH }, (_, turn) =>
      newGroup(SHARED[(at + turn) % SHARED.length] ?? '', name),
    );
    if (at >= LANDLORDS) return { groups };
    const own = newGroup(`admin/own${at}`, name);
    return { groups: [...groups, own], own };
  });
  return { blobs, owners };
}

interface Parts {
  readonly cluster: Cluster;
  readonly undo: Undo;
  readonly options: StormOptions;
  readonly owners: Contents;
  readonly ending: AbortSignal;
}

async function prepare({ cluster, undo, options, owners: { blobs, owners }, ending }: Parts): Promise<Storm> {
  const repositories = [...SHARED, ...owners.flatMap(({ own }) => own?.repository ?? [])];
  for (const repository of repositories) await undo.createRepository(repository);
  const origins = cluster.registries.map(({ url }) => url);
  const scopes = repositories.map((repository) => `repository:${repository}:pull,push,delete`);
  const shared = { origins, issuer: cluster.issuer.url, scopes };
  const client = new StormClient({ ...shared, account: cluster.admin, hasRights: true });
  return {
    random: new Random(options.seed + 1),
    client,
    stranger: new StormClient({ ...shared, account: cluster.stranger, hasRights: false }),
    undo,
    blobs,
    groups: owners.flatMap(({ groups }) => groups),
    repositories,
    isPromised: durationMs(options.grace) > 0,
    tally: new Map(),
    goesOn: () => client.traffic.requests < options.operations && !ending.aborted,
  };
}

/** Everybody at once, until enough was done or the first violation. */
async function rage(storm: Storm, { owners }: Contents, say: Say): Promise<readonly string[]> {
  const beganMs = performance.now();
  const broken = new AbortController();
  const repeat = async (deed: () => Promise<unknown>) => {
    while (storm.goesOn() && !broken.signal.aborted) await deed();
  };
  const { traffic } = storm.client;
  const speed = () => Math.round((traffic.requests / (performance.now() - beganMs)) * 1000);
  const progress = setInterval(() => say(`${traffic.requests} operations, ${speed()} a second`), PROGRESS_MS);
  const actors = [
    ...owners.map(({ groups, own }) => repeat(() => work(storm, groups, own))),
    ...Array.from({ length: READERS }, () => repeat(() => read(storm))),
  ];
  try {
    await Promise.all(actors);
  } finally {
    broken.abort();
    clearInterval(progress);
    await Promise.allSettled(actors);
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  return [
    `${traffic.requests} operations in ${seconds} s, ${speed()} a second; ${traffic.unavailable} were told to come back`,
    ...describeTally(storm.tally),
  ];
}

function describeTally(tally: Tally): string[] {
  return [...tally].toSorted(([one], [two]) => (one < two ? -1 : 1)).map(([name, n]) => `  ${name}: ${n}`);
}

interface Aftermath {
  readonly cluster: Cluster;
  readonly database: Pool;
  readonly say: Say;
}

async function check(storm: Storm, { cluster, database, say }: Aftermath): Promise<readonly string[]> {
  const { storageRoot, run } = cluster;
  const checks = [
    () => untilQuiet(database, say),
    () => checkRows(database, storm.groups),
    () => checkUsage(database),
    () => checkRecords(database, storm.tally),
    () => checkPulls(storm),
    ...(storageRoot === undefined ? [] : [() => checkObjects(database, storageRoot)]),
    ...(run === undefined ? [] : [() => checkByFsck(run)]),
  ];
  const report: string[] = [];
  for (const look of checks) {
    const line = await look();
    say(line);
    report.push(line);
  }
  return report;
}
