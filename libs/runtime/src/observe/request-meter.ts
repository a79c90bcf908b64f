import type { MetricSample } from './metrics-snapshot.js';

/** Counts the requests of one service. Plain numbers, made samples only when scraped: recording costs well below a microsecond. */
export interface RequestMeter {
  readonly service: string;
  begin(): void;
  record(measure: RequestMeasure): void;
  samples(): Readonly<Record<RequestFamily, readonly MetricSample[]>>;
}

export interface RequestMeasure {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
  readonly errorCode: string | undefined;
}

export type RequestFamily = keyof typeof REQUEST_FAMILIES;

export const REQUEST_FAMILIES = {
  http_requests_total: { type: 'counter', help: 'Requests answered, or given up by the client (status 499).' },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the headers of a request to the end of its answer.',
  },
  http_errors_total: { type: 'counter', help: 'Errors answered, by code.' },
  http_requests_in_flight: { type: 'gauge', help: 'Requests that are running.' },
} as const;

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);
const BUCKET_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
const MAX_ERROR_CODES = 64;

/** The requests of one route and method. */
interface Cell {
  readonly labels: Readonly<Record<'service' | 'route' | 'method', string>>;
  readonly countByStatus: Map<number, number>;
  /** One more than the bounds: the last is beyond all of them. */
  readonly countByBucket: number[];
  seconds: number;
}

/** A meter for `service`; every label value comes from a fixed set (routes as declared, known methods), the rest is `other`. */
export function createRequestMeter(service: string, routes: readonly string[]): RequestMeter {
  const knownRoutes = new Set(routes);
  const cells = new Map<string, Map<string, Cell>>();
  const countByCode = new Map<string, number>();
  let inFlight = 0;

  const findCell = (route: string, method: string): Cell => {
    const cell = cells.get(route)?.get(method);
    if (cell !== undefined) return cell;
    const boundedRoute = knownRoutes.has(route) ? route : 'other';
    const boundedMethod = METHODS.has(method) ? method : 'other';
    if (boundedRoute !== route || boundedMethod !== method)
      return findOrAddCell(cells, service, boundedRoute, boundedMethod);
    return findOrAddCell(cells, service, route, method);
  };

  return {
    service,
    begin() {
      inFlight += 1;
    },
    record(measure) {
      inFlight -= 1;
      addToCell(findCell(measure.route, measure.method), measure);
      if (measure.errorCode !== undefined) countError(countByCode, measure.errorCode);
    },
    samples() {
      const all = [...cells.values()].flatMap((byMethod) => [...byMethod.values()]);
      return {
        http_requests_total: all.flatMap(({ labels, countByStatus }) =>
          [...countByStatus].map(([status, value]) => ({ labels: { ...labels, status }, value })),
        ),
        http_request_duration_seconds: all.flatMap(samplesOfDuration),
        http_errors_total: [...countByCode].map(([code, value]) => ({ labels: { service, code }, value })),
        http_requests_in_flight: [{ labels: { service }, value: inFlight }],
      };
    },
  };
}

function findOrAddCell(cells: Map<string, Map<string, Cell>>, service: string, route: string, method: string): Cell {
  const byMethod = cells.get(route) ?? new Map<string, Cell>();
  cells.set(route, byMethod);
  const cell = byMethod.get(method) ?? {
    labels: { service, route, method },
    countByStatus: new Map<number, number>(),
    countByBucket: Array.from({ length: BUCKET_SECONDS.length + 1 }, () => 0),
    seconds: 0,
  };
  byMethod.set(method, cell);
  return cell;
}

function addToCell(cell: Cell, { status, seconds }: RequestMeasure): void {
  cell.countByStatus.set(status, (cell.countByStatus.get(status) ?? 0) + 1);
  cell.seconds += seconds;
  let bucket = 0;
  while (bucket < BUCKET_SECONDS.length && seconds > (BUCKET_SECONDS[bucket] ?? 0)) bucket += 1;
  cell.countByBucket[bucket] = (cell.countByBucket[bucket] ?? 0) + 1;
}

/** Codes come from tables of ours; the bound holds should one ever not. */
function countError(countByCode: Map<string, number>, code: string): void {
  const isKnown = countByCode.has(code) || (countByCode.size < MAX_ERROR_CODES && /^\w{1,64}$/.test(code));
  const bounded = isKnown ? code : 'other';
  countByCode.set(bounded, (countByCode.get(bounded) ?? 0) + 1);
}

function samplesOfDuration({ labels, countByBucket, seconds }: Cell): MetricSample[] {
  const name = 'http_request_duration_seconds';
  let count = 0;
  const buckets = countByBucket.map((inBucket, index) => {
    count += inBucket;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: BUCKET_SECONDS[index] ?? '+Inf' }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: seconds },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
