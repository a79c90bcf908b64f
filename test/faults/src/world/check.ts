import { setTimeout as delay } from 'node:timers/promises';
import { digestOf } from '@entrepot/testkit/images';
import type { Answer, Exchange, RegistryClient } from '@entrepot/testkit/registry-client';
import type { Held, Journal, TagRecord, UploadRecord } from './journal.js';
import { withDigest } from './push.js';
import { connect, type Target } from './target.js';

const CHECKER_COUNT = 8;
const LEASE_BOUND_MS = 20_000;

/** Holds a registry to what it said: returns a line for each promise that it does not keep. */
export async function checkJournal(target: Target, journal: Journal): Promise<string[]> {
  const client = connect(target);
  const work: (() => Promise<string | undefined>)[] = [
    ...unique(journal.blobs).map((held) => () => checkContent(client, held, 'blobs')),
    ...unique(journal.manifests).map((held) => () => checkContent(client, held, 'manifests')),
    ...[...journal.tags.values()].map((record) => () => checkTag(client, record)),
    ...[...journal.uploads].map((upload) => () => checkUpload(client, upload)),
  ];
  const broken: string[] = [...journal.surprises];
  const check = async () => {
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const complaint = await next();
      if (complaint !== undefined) broken.push(complaint);
    }
  };
  await Promise.all(Array.from({ length: CHECKER_COUNT }, check));
  client.close();
  // What was resumed is finished now, and tags say what they say.
  journal.uploads.clear();
  return broken;
}

/** Byte for byte, and the digest made anew from what came. */
async function checkContent(client: RegistryClient, held: Held, kind: 'blobs' | 'manifests') {
  const { repository, content } = held;
  const path = `/v2/${repository}/${kind}/${content.digest}`;
  const answer = await client.send({ method: 'GET', path, headers: { Accept: content.mediaType } });
  if (answer.status !== 200) return complain(path, answer);
  if (digestOf(answer.body) !== content.digest || !answer.body.equals(content.bytes)) {
    return `${path}: ${answer.body.length} other bytes than the ${content.bytes.length} that were acknowledged`;
  }
  return undefined;
}

async function checkTag(client: RegistryClient, { repository, tag, acknowledged, unanswered }: TagRecord) {
  const path = `/v2/${repository}/manifests/${tag}`;
  const answer = await client.send({ method: 'GET', path });
  if (answer.status === 404 && acknowledged === undefined) return undefined;
  if (answer.status !== 200) return complain(path, answer);
  const found = digestOf(answer.body);
  if (found === acknowledged || unanswered.has(found)) return undefined;
  return `${path} is ${found}, acknowledged was ${acknowledged}, unanswered ${[...unanswered].join(' ') || 'none'}`;
}

/** An upload stands where it was said to stand, or further, and can be finished; or its end was only not heard of. */
async function checkUpload(client: RegistryClient, upload: UploadRecord): Promise<string | undefined> {
  const { repository, content, location, offsetBytes } = upload;
  const status = await client.send({ method: 'GET', path: location });
  if (status.status === 404 && offsetBytes === content.bytes.length) {
    return checkContent(client, { repository, content }, 'blobs');
  }
  // A start that a crash forgets has acknowledged no byte: its client begins again.
  if (status.status === 404 && offsetBytes === 0) return undefined;
  if (status.status !== 204) return complain(`GET ${location}`, status);
  const standsAt = Number(status.headers['range']?.split('-')[1]) + 1;
  // `0-0` is what the specification has for nothing and for one byte.
  if (standsAt < offsetBytes) return `${location} stands at ${standsAt}, acknowledged was ${offsetBytes}`;
  const start = standsAt === 1 ? offsetBytes : standsAt;
  const finished = await sendWhenFree(client, {
    method: 'PUT',
    path: withDigest(status.headers.location ?? '', content.digest),
    headers: { 'Content-Type': 'application/octet-stream' },
    body: content.bytes.subarray(start),
  });
  if (finished.status !== 201) return complain(`PUT ${location} from ${start}`, finished);
  return checkContent(client, { repository, content }, 'blobs');
}

/** An upload stays bound to a request that died for the length of its lease: 409, and when to come back. */
async function sendWhenFree(client: RegistryClient, exchange: Exchange): Promise<Answer> {
  for (const deadline = performance.now() + LEASE_BOUND_MS; ;) {
    const answer = await client.send(exchange);
    if (answer.status !== 409 || performance.now() > deadline) return answer;
    await delay(Number(answer.headers['retry-after']) * 1_000);
  }
}

function unique(held: readonly Held[]): readonly Held[] {
  return [...new Map(held.map((one) => [`${one.repository} ${one.content.digest}`, one])).values()];
}

function complain(what: string, { status, body }: Answer): string {
  return `${what}: ${status} ${body.toString().slice(0, 300)}`;
}
