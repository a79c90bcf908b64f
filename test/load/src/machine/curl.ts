import { runCommand } from './run-command.js';

const TIMEOUT_MS = 300_000;

/** Seconds that each of `times` downloads of a URL took on one connection, thrown away as they arrive. */
export async function curlDownload(url: string, token: string, times: number): Promise<readonly number[]> {
  const each = Array.from({ length: times }, () => ['-o', '/dev/null', url]).flat();
  const output = await curl(['-f', ...authorization(token), '-w', '%{time_total}\n', ...each]);
  return output.trim().split('\n').map(Number);
}

/** What curl sends. */
export interface CurlUpload {
  readonly method: 'PUT' | 'PATCH';
  readonly url: string;
  readonly token: string;
  readonly file: string;
  /** Chunked transfer coding in place of Content-Length. */
  readonly isChunked: boolean;
}

/** What an upload was answered. */
export interface CurlAnswer {
  readonly status: number;
  readonly location: string;
  readonly seconds: number;
}

/** Sends a file as the body, without `Expect: 100-continue`, as the engines' clients do. */
export async function curlUpload({ method, url, token, file, isChunked }: CurlUpload): Promise<CurlAnswer> {
  const headers = ['Expect:', 'Content-Type: application/octet-stream'];
  if (isChunked) headers.push('Transfer-Encoding: chunked');
  const output = await curl([
    ...authorization(token),
    ...headers.flatMap((header) => ['-H', header]),
    '-X',
    method,
    '-T',
    file,
    '-o',
    '/dev/null',
    '-w',
    '%{http_code} %{time_total} %header{location}',
    url,
  ]);
  const [status, seconds, location = ''] = output.trim().split(' ');
  return { status: Number(status), seconds: Number(seconds), location };
}

function curl(parameters: readonly string[]): Promise<string> {
  return runCommand('curl', ['-sS', ...parameters], { timeoutMs: TIMEOUT_MS });
}

function authorization(token: string): readonly string[] {
  return token === '' ? [] : ['-H', `Authorization: Bearer ${token}`];
}
