const END_OF_HEAD = Buffer.from('\r\n\r\n');
const CRLF = Buffer.from('\r\n');

/** One HTTP/1.1 answer. Header names are lower case; of a repeated header the last one counts. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** An answer and how many bytes of the input it took. */
export interface ParsedAnswer {
  readonly answer: Answer;
  readonly sizeBytes: number;
}

/**
 * Reads the answer at the start of `input`, or undefined while it is incomplete. `hasBody` is false for the answer to
 * a HEAD. An answer that ends only with the connection (RFC 9112 section 6.3, rule 8) is refused: none of the
 * registries sends one, and a client of persistent connections could not tell its end from a failure.
 */
export function parseAnswer(input: Buffer, hasBody: boolean): ParsedAnswer | undefined {
  const headEnd = input.indexOf(END_OF_HEAD);
  if (headEnd < 0) return undefined;
  const { status, headers } = parseHead(input.toString('latin1', 0, headEnd));
  const bodyStart = headEnd + END_OF_HEAD.length;
  if (status >= 100 && status < 200) return after(parseAnswer(input.subarray(bodyStart), hasBody), bodyStart);
  const body = takeBody(input.subarray(bodyStart), { status, headers, hasBody });
  if (body === undefined) return undefined;
  return { answer: { status, headers, body: body.bytes }, sizeBytes: bodyStart + body.sizeBytes };
}

function after(parsed: ParsedAnswer | undefined, skippedBytes: number): ParsedAnswer | undefined {
  return parsed && { answer: parsed.answer, sizeBytes: parsed.sizeBytes + skippedBytes };
}

function parseHead(head: string): { status: number; headers: Map<string, string> } {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`not an HTTP/1.1 answer: ${JSON.stringify(statusLine.slice(0, 80))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, headers };
}

interface Framing {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly hasBody: boolean;
}

interface TakenBody {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
}

function takeBody(input: Buffer, { status, headers, hasBody }: Framing): TakenBody | undefined {
  if (!hasBody || status === 204 || status === 304) return { bytes: Buffer.alloc(0), sizeBytes: 0 };
  if (headers.get('transfer-encoding') === 'chunked') return takeChunks(input);
  const length = headers.get('content-length');
  if (length === undefined) throw new Error(`the answer (status ${status}) does not say where it ends`);
  const sizeBytes = Number(length);
  return input.length < sizeBytes ? undefined : { bytes: input.subarray(0, sizeBytes), sizeBytes };
}

function takeChunks(input: Buffer): TakenBody | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = input.indexOf(CRLF, at);
    if (lineEnd < 0) return undefined;
    const chunkBytes = Number.parseInt(input.toString('latin1', at, lineEnd), 16);
    const dataStart = lineEnd + CRLF.length;
    const next = dataStart + chunkBytes + CRLF.length;
    if (input.length < next) return undefined;
    if (chunkBytes === 0) return { bytes: Buffer.concat(chunks), sizeBytes: next };
    chunks.push(input.subarray(dataStart, dataStart + chunkBytes));
    at = next;
  }
}
