import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Content } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';

/** What came of an answer, to its end or not. */
export interface Download {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The answer ended in order, with as many bytes as it had said. */
  readonly isWhole: boolean;
}

/** Reads a blob of a registry, and keeps what came of an answer that broke off. */
export async function download(
  { client, url }: { readonly client: RegistryClient; readonly url: string },
  repository: string,
  digest: string,
): Promise<Download> {
  const token = await client.token([`repository:${repository}:pull,push`]);
  const outgoing = request(new URL(`/v2/${repository}/blobs/${digest}`, url), {
    headers: { Authorization: `Bearer ${token}`, Connection: 'close' },
  });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let isWhole = true;
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    isWhole = false;
  }
  const { statusCode: status = 0, headers } = incoming;
  return { status, headers, body: Buffer.concat(chunks), isWhole };
}

/** What every answer has to be: right and whole, or one that says when to come back, or one that breaks off. */
export const HONEST = ['right', 'refused', 'cut'];

/** One of these, or what is wrong with the answer. */
export function judge({ status, headers, body, isWhole }: Download, { bytes }: Content): string {
  if (status === 503) {
    if (headers['retry-after'] === undefined) return 'a 503 that does not say when to come back';
    return /^{"errors":\[{"code":"[A-Z_]+",/.test(body.toString()) ? 'refused' : `a 503 with ${body.toString()}`;
  }
  if (status !== 200) return `${status} ${body.toString()}`;
  if (isWhole) return body.equals(bytes) ? 'right' : `${body.length} wrong bytes`;
  return body.length < bytes.length ? 'cut' : 'every byte, and then a broken connection';
}
