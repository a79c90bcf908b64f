import type { RepeatJob } from '../client/jobs.js';
import type { Client } from '../client/start-client.js';
import { hasProgram, runCommand } from './run-command.js';

/** True where `wrk` is installed; it costs the machine less than a client in JavaScript. */
export const hasWrk = hasProgram('wrk', '-v');

/** Requests that a server answers in a second. Rejects if one of the answers was not a success. */
export async function requestRate(client: Client, load: Omit<RepeatJob, 'kind' | 'atLeast'>): Promise<number> {
  if (hasWrk && load.request.method === 'GET') return wrkRate(load);
  const { count, elapsedMs } = await client.run({ kind: 'repeat', atLeast: 1, ...load });
  return (count / elapsedMs) * 1000;
}

/** wrk cannot do HEAD: it waits for the body that Content-Length speaks of. */
async function wrkRate({
  origin,
  request,
  connections,
  durationMs,
}: Omit<RepeatJob, 'kind' | 'atLeast'>): Promise<number> {
  const headers = Object.entries(request.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const load = ['-t', '1', '-c', String(connections), '-d', `${Math.ceil(durationMs / 1000)}s`];
  const output = await runCommand('wrk', [...load, ...headers, origin + request.path]);
  const failures = /^\s*(Non-2xx or 3xx responses: .*|Socket errors: .*)$/m.exec(output)?.[1];
  if (failures) throw new Error(`wrk on ${request.path}: ${failures}`);
  return Number(/^Requests\/sec:\s+([\d.]+)/m.exec(output)?.[1]);
}
