import { Client } from 'pg';

export interface ScaleOptions {
  /** Private repositories, a hundred to an organisation, beside the one that holds half of the tags. */
  readonly repositories?: number;
  /** Half of them in one repository, the rest spread evenly over all others. */
  readonly tags?: number;
  /** Manifests that name one subject. */
  readonly referrers?: number;
  /** Name of an account that may pull a few of the repositories, and no others. */
  readonly viewer?: string;
}

/** Where the loaded data can be asked for. */
export interface ScaleData {
  /** The repository with many tags and referrers. */
  readonly repository: string;
  /** A tag in the middle of its tags, and the digest that it points at. */
  readonly tag: string;
  readonly digest: string;
  /** The digest that all referrers name. */
  readonly subject: string;
  /** One of the many small repositories, from the middle of the catalog, and one of its tags. */
  readonly smallRepository: string;
  readonly smallTag: string;
  /** How many repositories the viewer may pull. */
  readonly visible: number;
}

const REPOSITORY = 'scale/tags';
const TAGS_PER_MANIFEST = 10;
const VISIBLE_BY_GRANT = 20;
const PER_ORGANISATION = 100;

/** An index that names nothing: it needs no blob, and the API serves it as what it is. */
const PAYLOAD = `convert_to('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"n":"' || n || '"}}', 'UTF8')`;
const MEDIA_TYPE = `'application/vnd.oci.image.index.v1+json'`;
const DIGEST = (payload: string): string => `'\\x01'::bytea || sha256(${payload})`;

/**
 * Fills a migrated database with very many repositories, tags and referrers by SQL, in half a minute for the numbers of
 * the default. The URL's login owns the tables. Run once for a database.
 */
export async function loadScale(databaseUrl: string, options: ScaleOptions = {}): Promise<ScaleData> {
  const { repositories = 100_000, tags = 1_000_000, referrers = 20_000, viewer } = options;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    await insertRepositories(client, repositories);
    await insertSmallTags(client, Math.ceil(tags / 2 / repositories));
    await insertManyTags(client, Math.ceil(tags / 2));
    await insertReferrers(client, referrers);
    if (viewer !== undefined) await grantFew(client, viewer);
    await client.query('COMMIT');
    await client.query('VACUUM ANALYZE');
    return await describe(client, repositories, viewer);
  } finally {
    await client.end();
  }
}

async function insertRepositories(client: Client, repositories: number): Promise<void> {
  await client.query(
    `INSERT INTO namespace (id, name, kind)
     SELECT gen_random_uuid(), 'scale-' || lpad(n::text, 5, '0'), 'organisation' FROM generate_series(0, $1::int) AS n
     UNION ALL SELECT gen_random_uuid(), 'scale', 'organisation'`,
    [Math.floor((repositories - 1) / PER_ORGANISATION)],
  );
  await client.query(
    `INSERT INTO repository (id, namespace_id, name)
     SELECT gen_random_uuid(), o.id, o.name || '/repository-' || lpad((n % ${PER_ORGANISATION})::text, 2, '0')
     FROM generate_series(0, $1::int - 1) AS n
     JOIN namespace o ON o.name = 'scale-' || lpad((n / ${PER_ORGANISATION})::text, 5, '0')`,
    [repositories],
  );
  await client.query(
    `INSERT INTO repository (id, namespace_id, name)
     SELECT gen_random_uuid(), id, '${REPOSITORY}' FROM namespace WHERE name = 'scale'`,
  );
}

/** A manifest and a few tags in each of the small repositories. */
async function insertSmallTags(client: Client, tagsEach: number): Promise<void> {
  await client.query(
    `INSERT INTO manifest (repository_id, digest, media_type, payload)
     SELECT id, ${DIGEST('payload')}, ${MEDIA_TYPE}, payload
     FROM (SELECT r.id, ${PAYLOAD.replace('n ||', 'r.id ||')} AS payload FROM repository r WHERE r.name LIKE 'scale-%') AS small`,
  );
  await client.query(
    `INSERT INTO tag (repository_id, name, manifest_id)
     SELECT m.repository_id, 'v' || n, m.id
     FROM manifest m JOIN repository r ON r.id = m.repository_id, generate_series(1, $1::int) AS n
     WHERE r.name LIKE 'scale-%'`,
    [tagsEach],
  );
}

async function insertManyTags(client: Client, tags: number): Promise<void> {
  await client.query(
    `INSERT INTO manifest (repository_id, digest, media_type, payload)
     SELECT id, ${DIGEST('payload')}, ${MEDIA_TYPE}, payload
     FROM (SELECT r.id, ${PAYLOAD} AS payload
       FROM repository r, generate_series(0, $1::int) AS n WHERE r.name = '${REPOSITORY}') AS many`,
    [Math.floor((tags - 1) / TAGS_PER_MANIFEST)],
  );
  await client.query(
    `INSERT INTO tag (repository_id, name, manifest_id)
     SELECT m.repository_id, 't' || lpad(n::text, 7, '0'), m.id
     FROM generate_series(0, $1::int - 1) AS n
     JOIN (SELECT id, repository_id, row_number() OVER (ORDER BY id) - 1 AS place FROM manifest
       WHERE repository_id = (SELECT id FROM repository WHERE name = '${REPOSITORY}')) AS m
       ON m.place = n / ${TAGS_PER_MANIFEST}`,
    [tags],
  );
}

async function insertReferrers(client: Client, referrers: number): Promise<void> {
  await client.query(
    `INSERT INTO manifest (repository_id, digest, media_type, payload, subject_digest, artifact_type, annotations)
     SELECT repository_id, ${DIGEST('payload')}, ${MEDIA_TYPE}, payload, subject, 'application/vnd.scale',
       json_build_object('n', n::text)
     FROM (SELECT repository_id, digest AS subject FROM manifest
       WHERE repository_id = (SELECT id FROM repository WHERE name = '${REPOSITORY}') ORDER BY id LIMIT 1) AS s,
       LATERAL (SELECT n, ${PAYLOAD.replace('n ||', "'referrer ' || n ||")} AS payload FROM generate_series(1, $1::int) AS n) AS r`,
    [referrers],
  );
}

/** Grants on repositories from all over the catalog, and through a team on one organisation. */
async function grantFew(client: Client, viewer: string): Promise<void> {
  await client.query(
    `INSERT INTO access_grant (id, repository_id, account_id, role)
     SELECT gen_random_uuid(), r.id, a.id, 'read'
     FROM (SELECT id, row_number() OVER (ORDER BY name) AS place, count(*) OVER () AS n FROM repository
       WHERE name LIKE 'scale-%') AS r, account a JOIN namespace v USING (id)
     WHERE v.name = $1 AND r.place % (r.n / ${VISIBLE_BY_GRANT}) = 0`,
    [viewer],
  );
  await client.query(
    `WITH made AS (
       INSERT INTO team (id, namespace_id, name)
       SELECT gen_random_uuid(), id, 'readers' FROM namespace WHERE name = 'scale-00000' RETURNING id, namespace_id),
     joined AS (
       INSERT INTO team_member (team_id, account_id)
       SELECT made.id, v.id FROM made, namespace v WHERE v.name = $1)
     INSERT INTO access_grant (id, namespace_id, team_id, role)
     SELECT gen_random_uuid(), namespace_id, id, 'read' FROM made`,
    [viewer],
  );
}

async function describe(client: Client, repositories: number, viewer: string | undefined): Promise<ScaleData> {
  const { rows } = await client.query<{ tag: string; digest: string; subject: string; small: string }>(
    `WITH many AS (SELECT id FROM repository WHERE name = '${REPOSITORY}'),
     middle AS (
       SELECT name, manifest_id FROM tag WHERE repository_id = (SELECT id FROM many)
       ORDER BY name OFFSET (SELECT count(*) / 2 FROM tag WHERE repository_id = (SELECT id FROM many)) LIMIT 1)
     SELECT middle.name AS tag, 'sha256:' || encode(substr(m.digest, 2), 'hex') AS digest,
       (SELECT 'sha256:' || encode(substr(subject_digest, 2), 'hex') FROM manifest
        WHERE repository_id = (SELECT id FROM many) AND subject_digest IS NOT NULL LIMIT 1) AS subject,
       (SELECT name FROM repository WHERE name LIKE 'scale-%' ORDER BY name OFFSET $1 LIMIT 1) AS small
     FROM middle JOIN manifest m ON m.id = middle.manifest_id`,
    [Math.floor(repositories / 2)],
  );
  const [row] = rows;
  if (!row) throw new Error('the loaded data cannot be found');
  const visible = viewer === undefined ? 0 : await countVisible(client, viewer);
  const { tag, digest, subject, small } = row;
  return { repository: REPOSITORY, tag, digest, subject, smallRepository: small, smallTag: 'v1', visible };
}

async function countVisible(client: Client, viewer: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `WITH held AS (
       SELECT g.repository_id, g.namespace_id FROM access_grant g LEFT JOIN team_member t USING (team_id)
       WHERE coalesce(g.account_id, t.account_id) = (SELECT id FROM namespace WHERE name = $1))
     SELECT count(*)::int AS n FROM (
       SELECT repository_id FROM held WHERE repository_id IS NOT NULL
       UNION SELECT r.id FROM repository r JOIN held USING (namespace_id)) AS visible`,
    [viewer],
  );
  return rows[0]?.n ?? 0;
}
