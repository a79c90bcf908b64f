import { inject } from 'vitest';
import { sendRaw } from '../wire/raw.js';
import { IMAGES } from '../world/contents.js';
import { alice, send } from '../world/person.js';

/** Long enough for any answer; a connection that stays open longer without one was forgotten. */
const ANSWER_MS = 15_000;
/** Wrong logins among the inputs are counted by address, and must not lock out whoever the other tests log in. */
const FUZZER_ADDRESS = '127.0.0.66';

/**
 * Sends the bytes, ends with a complete request that closes the connection, and checks that it was closed: each request
 * is answered by no fault, or the connection cut.
 */
export async function requireEnd(bytes: string): Promise<void> {
  const { port } = inject('product');
  const { isClosed, text } = await sendRaw(port, bytes, ANSWER_MS, FUZZER_ADDRESS);
  if (!isClosed) throw new Error(`no end after ${JSON.stringify(bytes.slice(0, 2000))}; so far: ${text.slice(0, 500)}`);
  if (text !== '' && !text.startsWith('HTTP/1.1 ')) throw new Error(`no HTTP: ${text.slice(0, 500)}`);
}

/** Throws unless the product lives, and still holds what it held. */
export async function requireAlive(): Promise<void> {
  const { status } = await send({ path: '/livez' });
  const kept = await alice.ask({ path: '/v2/acme/app/manifests/1' });
  if (status === 200 && kept.headers['docker-content-digest'] === IMAGES['acme/app'].manifest.digest) return;
  throw new Error(`the product answers ${status} when asked whether it lives, and ${kept.status} ${kept.text}`);
}
