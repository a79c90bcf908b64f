import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';

const BLOBS_PER_MANIFEST = 5;
const MANIFESTS_PER_REPOSITORY = 4;
const BLOB_BYTES = 4096;
/** The product's own keys share their beginning, and so a directory, for as many. */
const KEYS_PER_DIRECTORY = 512;
const WRITERS = 16;
const SETTLE_POLL_MS = 500;

/** Manifests of five blobs each, four to a repository. */
export interface Content {
  /** Tells content that is made at different times apart. */
  readonly label: string;
  readonly blobs: number;
}

const DIGEST = (text: string): string => `'\\x01'::bytea || sha256(convert_to(${text}, 'UTF8'))`;
const PAYLOAD = `'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","annotations":{"n":"' || $1 || ' ' || n || '"}}'`;
const REPOSITORY = `'gc/' || $1 || '-' || (n / ${MANIFESTS_PER_REPOSITORY})`;

/** Tagged manifests with their blobs, as rows: nobody reads the objects of what is kept. */
export async function insertKept(client: Client, content: Content): Promise<void> {
  if (content.blobs === 0) return;
  await insertRepositories(client, content);
  await client.query(
    `INSERT INTO blob (digest, size_bytes, object_key)
     SELECT ${DIGEST(`$1 || ' blob ' || n`)}, ${BLOB_BYTES}, md5($1 || n) FROM generate_series(0, $2::integer - 1) AS n`,
    [content.label, content.blobs],
  );
  await insertManifests(client, content);
  for (const statement of SURROUNDINGS) await client.query(statement, [content.label]);
  await client.query('VACUUM ANALYZE');
}

/** Manifests that were deleted, whose blobs have their objects in the store: all of it is due. */
export async function plantGarbage(client: Client, storageRoot: string, content: Content): Promise<void> {
  await insertRepositories(client, content);
  const keys = await writeObjects(storageRoot, content.blobs);
  await client.query(
    `INSERT INTO blob (digest, size_bytes, object_key)
     SELECT ${DIGEST(`$1 || ' blob ' || (n - 1)`)}, ${BLOB_BYTES}, key
     FROM unnest($2::text[]) WITH ORDINALITY AS k (key, n)`,
    [content.label, keys],
  );
  await insertManifests(client, content);
  await client.query(
    `WITH deleted AS (
       UPDATE manifest m SET deleted_at = now() - interval '1 minute', deleted_by = 'bench' FROM repository r
       WHERE r.id = m.repository_id AND r.name LIKE 'gc/' || $1 || '-%' RETURNING m.id)
     INSERT INTO manifest_review (manifest_id, reason, due_at) SELECT id, 'deleted', now() FROM deleted`,
    [content.label],
  );
  await client.query('ANALYZE');
}

/** How much of the garbage is left: rows of blobs, and objects that wait to be removed. */
export async function countLeft(client: Client): Promise<{ blobs: number; objects: number }> {
  const { rows } = await client.query<{ blobs: number; objects: number }>(
    `SELECT
       (SELECT count(*)::integer FROM repository_blob l JOIN repository r ON r.id = l.repository_id
        WHERE r.name LIKE 'gc/garbage%') + (SELECT count(*)::integer FROM blob_review) AS blobs,
       (SELECT count(*)::integer FROM doomed_object) AS objects`,
  );
  return rows[0] ?? { blobs: 0, objects: 0 };
}

/** Resolves when the product has added up, and noted beside the objects, all that was put into its tables behind its back. */
export async function untilSettled(client: Client): Promise<void> {
  const left = ['usage_link_delta', 'usage_delta', 'usage_store_delta', 'recovery_mark'];
  const any = left.map((table) => `EXISTS (SELECT FROM ${table})`).join(' OR ');
  for (;;) {
    const { rows } = await client.query<{ is_left: boolean }>(`SELECT ${any} AS is_left`);
    if (rows[0]?.is_left !== true) return;
    await delay(SETTLE_POLL_MS);
  }
}

async function insertRepositories(client: Client, { label, blobs }: Content): Promise<void> {
  await client.query(
    `INSERT INTO namespace (id, name, kind) VALUES (gen_random_uuid(), 'gc', 'organisation')
     ON CONFLICT (name) DO UPDATE SET kind = excluded.kind`,
  );
  await client.query(
    `INSERT INTO repository (id, namespace_id, name)
     SELECT gen_random_uuid(), id, 'gc/' || $1 || '-' || n FROM namespace, generate_series(0, $2::integer) AS n
     WHERE namespace.name = 'gc'`,
    [label, Math.floor(blobs / BLOBS_PER_MANIFEST / MANIFESTS_PER_REPOSITORY)],
  );
}

/** What grows beside content: the history of tags, pulls, blobs that are awaited, who did what. */
const SURROUNDINGS = [
  `INSERT INTO tag (repository_id, name, manifest_id) SELECT repository_id, 'v' || id, id FROM kept`,
  `INSERT INTO tag_history (repository_id, name, digest) SELECT repository_id, 'v' || id, digest FROM kept`,
  `INSERT INTO manifest_use (manifest_id, used_at) SELECT id, now() FROM kept`,
  `INSERT INTO sparse_reference (repository_id, digest, manifest_id, kind, size_bytes)
   SELECT repository_id, digest || '\\x00'::bytea, id, 'blob', 1 FROM kept`,
  `INSERT INTO audit_event (actor_name, action, target) SELECT 'bench', 'manifest.pushed', id::text FROM kept`,
].map(
  (statement) => `
  WITH kept AS (
    SELECT m.id, m.repository_id, m.digest FROM manifest m JOIN repository r ON r.id = m.repository_id
    WHERE r.name LIKE 'gc/' || $1 || '-%')
  ${statement}`,
);

async function insertManifests(client: Client, { label, blobs }: Content): Promise<void> {
  const manifests = Math.ceil(blobs / BLOBS_PER_MANIFEST);
  const blobOf = DIGEST(`$1 || ' blob ' || (n * ${BLOBS_PER_MANIFEST} + b)`);
  const eachBlob = `generate_series(0, $2::integer - 1) AS n, generate_series(0, ${BLOBS_PER_MANIFEST} - 1) AS b`;
  await client.query(
    `INSERT INTO manifest (repository_id, digest, media_type, payload)
     SELECT r.id, ${DIGEST(PAYLOAD)}, 'application/vnd.oci.image.manifest.v1+json', convert_to(${PAYLOAD}, 'UTF8')
     FROM generate_series(0, $2::integer - 1) AS n JOIN repository r ON r.name = ${REPOSITORY}`,
    [label, manifests],
  );
  await client.query(
    `INSERT INTO repository_blob (repository_id, digest)
     SELECT r.id, ${blobOf} FROM ${eachBlob}, repository r WHERE r.name = ${REPOSITORY}
       AND n * ${BLOBS_PER_MANIFEST} + b < $3::integer`,
    [label, manifests, blobs],
  );
  await client.query(
    `INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
     SELECT m.id, m.repository_id, ${blobOf}, ${BLOB_BYTES}
     FROM ${eachBlob}, repository r, manifest m
     WHERE r.name = ${REPOSITORY} AND m.repository_id = r.id AND m.digest = ${DIGEST(PAYLOAD)}
       AND n * ${BLOBS_PER_MANIFEST} + b < $3::integer`,
    [label, manifests, blobs],
  );
}

/** Objects with their records, where the product looks for them. Resolves with their keys. */
async function writeObjects(storageRoot: string, count: number): Promise<string[]> {
  const keys: string[] = [];
  const bytes = Buffer.alloc(BLOB_BYTES);
  for (let made = 0; made < count; made += KEYS_PER_DIRECTORY) {
    const beginning = randomBytes(2).toString('hex');
    mkdirSync(join(storageRoot, 'objects', beginning.slice(0, 2), beginning.slice(2)), {
      recursive: true,
      mode: 0o770,
    });
    for (let index = made; index < Math.min(count, made + KEYS_PER_DIRECTORY); index += 1) {
      keys.push(`${beginning}${randomBytes(14).toString('hex')}`);
    }
  }
  const record = JSON.stringify({ digest: 'sha256:0', sizeBytes: BLOB_BYTES, createdAt: new Date().toISOString() });
  let next = 0;
  const write = async (): Promise<void> => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
      const path = join(storageRoot, 'objects', key.slice(0, 2), key.slice(2, 4), key);
      await writeFile(path, bytes, { mode: 0o660 });
      await writeFile(`${path}.json`, record, { mode: 0o660 });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  return keys;
}
