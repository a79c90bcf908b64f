import { randomBytes } from 'node:crypto';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage } from '@entrepot/testkit/images';
import { startPostgresProxy, type CutPoint, type PostgresProxy } from '@entrepot/testkit/postgres-proxy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { pushImage } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const POINTS: readonly CutPoint[] = ['before', 'after', 'late'];
const REPOSITORY = 'admin/doubtful';

describe('FT-06: the answer of a commit is lost between registry and Postgres', () => {
  let replicas: Replicas;
  let proxy: PostgresProxy;
  let registry: Entrepot;

  beforeAll(async () => {
    replicas = await startReplicas();
    proxy = await startPostgresProxy(replicas.databaseUrl);
    registry = await replicas.start({ ENTREPOT_DATABASE_URL: proxy.url });
  });
  afterAll(async () => {
    await replicas.remove();
    await proxy.close();
  });

  it.each(POINTS.flatMap((point) => ['finish-upload', 'COMMIT'].map((text) => ({ text, point }))))(
    'a push whose $text is cut off $point Postgres took it is 201, and happened once',
    async ({ text, point }) => {
      const target = replicas.target(registry);
      const journal = new Journal();
      const client = connect(target);
      const image = buildImage({ layers: [randomBytes(1_000)] });
      const tag = `${text}-${point}`.toLowerCase();
      // The repository is there, so that the first COMMIT is that of the manifest.
      const bench = { client, journal, repository: REPOSITORY };
      await pushImage(bench, { image: buildImage({ layers: [randomBytes(10)] }), tag: 'first', way: 'whole' });
      const before = await recorded();
      const cuts = proxy.cutCount();
      proxy.cutNext(text, point);
      await pushImage(bench, { image, tag, way: 'streamed' });
      client.close();

      expect(proxy.cutCount()).toBe(cuts + 1);
      expect(await recorded()).toEqual({
        audited: before.audited + 1,
        events: before.events + 1,
        manifests: before.manifests + 1,
        blobs: before.blobs + 2,
        history: before.history + 1,
      });
      expect(await checkJournal(target, journal)).toEqual([]);
    },
  );

  /** What pushes to the repository left, where each change counts. */
  async function recorded() {
    const [row] = await replicas.query<Record<'audited' | 'events' | 'manifests' | 'blobs' | 'history', number>>(
      `SELECT (SELECT count(*)::int FROM audit_event WHERE action = 'manifest.pushed') AS audited,
         (SELECT count(*)::int FROM outbox_event WHERE kind = 'manifest.pushed') AS events,
         (SELECT coalesce(sum(manifests), 0)::int FROM usage_delta) AS manifests,
         (SELECT count(*)::int FROM blob) AS blobs,
         (SELECT count(*)::int FROM tag_history) AS history`,
    );
    if (!row) throw new Error('no counts');
    return row;
  }
});
