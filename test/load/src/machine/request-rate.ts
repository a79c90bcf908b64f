import type { RepeatJob } from '../client/jobs.js';
import type { Client } from '../client/start-client.js';
import { hasProgram, runCommand } from './run-command.js';

/** True where `wrk` is installed; it costs the machine less than a client in JavaScript. */
export const hasWrk = hasProgram('wrk', '-v');

type Load = Omit<RepeatJob, 'kind' | 'atLeast'>;

/** How a server answered a load. */
export interface Answered {
  /** Requests in a second. */
  readonly rate: number;
  readonly p99Ms: number;
}

/** Requests that a server answers in a second. Rejects if one of the answers was not a success. */
export async function requestRate(client: Client, load: Load): Promise<number> {
  return (await answeredUnder(client, load)).rate;
}

/** Rate and latency under a load. Rejects if one of the answers was not a success. */
export async function answeredUnder(client: Client, load: Load): Promise<Answered> {
  if (hasWrk && load.request.method === 'GET') return wrk(load);
  const { count, elapsedMs, p99Ms } = await client.run({ kind: 'repeat', atLeast: 1, ...load });
  return { rate: (count / elapsedMs) * 1000, p99Ms };
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** wrk cannot do HEAD: it waits for the body that Content-Length speaks of. */
async function wrk({ origin, request, connections, durationMs }: Load): Promise<Answered> {
  const headers = Object.entries(request.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const load = ['--latency', '-t', '1', '-c', String(connections), '-d', `${Math.ceil(durationMs / 1000)}s`];
  const output = await runCommand('wrk', [...load, ...headers, origin + request.path]);
  const failures = /^\s*(Non-2xx or 3xx responses: .*|Socket errors: .*)$/m.exec(output)?.[1];
  if (failures) throw new Error(`wrk on ${request.path}: ${failures}`);
  const [, value, unit = ''] = /^\s*99%\s+([\d.]+)(us|ms|s|m)$/m.exec(output) ?? [];
  const rate = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(output)?.[1]);
  return { rate, p99Ms: Number(value) * (MS_PER_UNIT[unit] ?? Number.NaN) };
}
