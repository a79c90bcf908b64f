import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { renderSnapshot } from './metrics-snapshot.js';
import type { MetricFamily, MetricsSnapshot } from './metrics-snapshot.js';
import { REQUEST_FAMILIES, createRequestMeter } from './request-meter.js';
import type { RequestFamily, RequestMeter } from './request-meter.js';

export interface PoolState {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** The names of labels, and the values there are now. */
export interface LabelledGauges<Label extends string> {
  readonly labels: readonly Label[];
  read(): readonly { readonly labels: Readonly<Record<Label, string>>; readonly value: number }[];
}

/** The measurements of one process. Label values come from fixed sets: never a repository, tag or account. */
export interface Metrics {
  /** Counts requests of `service` by the route names given here. */
  requestMeter(service: string, routes: readonly string[]): RequestMeter;
  /** `pool_connections{pool,state}`, read when scraped. */
  poolGauge(pool: string, read: () => PoolState): void;
  /** A value that is read when scraped. Over several processes it is their sum; of a name that ends in `_up`, the least. */
  gauge(name: string, help: string, read: () => number): void;
  /** The same for several values that labels tell apart. */
  gauges<Label extends string>(name: string, help: string, read: LabelledGauges<Label>): void;
  /** A total that something else counts, read when scraped; it never falls. */
  total(name: string, help: string, read: () => number): void;
  counter<Label extends string>(name: string, help: string, labels: readonly Label[]): Counter<Label>;
  /** Everything as it is now. */
  snapshot(): Promise<MetricsSnapshot>;
  /** The same in the Prometheus text format 0.0.4. */
  render(): Promise<string>;
}

/** Where prom-client's own choice would hide a process that is in trouble, or drop the value. */
const AGGREGATORS: Readonly<Record<string, MetricFamily['aggregator']>> = { average: 'max', omit: 'min' };

/** Metrics with their own registry: process, memory, garbage collection and event loop lag are in it from the start. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const meters: RequestMeter[] = [];
  const pools = new Map<string, () => PoolState>();
  const poolGauge = new Gauge({
    name: 'pool_connections',
    help: 'Database connections by state; waiting counts callers without a connection.',
    labelNames: ['pool', 'state'],
    registers: [],
    collect() {
      for (const [pool, read] of pools) {
        for (const [state, count] of Object.entries(read())) this.set({ pool, state }, Number(count));
      }
    },
  });
  registry.registerMetric(poolGauge);
  const snapshot = async () => [...familiesOfMeters(meters), ...(await familiesOf(registry))];
  return {
    requestMeter(service, routes) {
      const meter = createRequestMeter(service, routes);
      meters.push(meter);
      return meter;
    },
    poolGauge(pool, read) {
      pools.set(pool, read);
    },
    gauge(name, help, read) {
      const gauge = new Gauge({
        name,
        help,
        registers: [],
        aggregator: name.endsWith('_up') ? 'min' : 'sum',
        collect() {
          this.set(read());
        },
      });
      registry.registerMetric(gauge);
    },
    gauges(name, help, { labels, read }) {
      const gauge = new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers: [],
        aggregator: 'sum',
        collect() {
          this.reset();
          for (const { labels, value } of read()) this.set(labels, value);
        },
      });
      registry.registerMetric(gauge);
    },
    total(name, help, read) {
      const counter = new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(read());
        },
      });
      registry.registerMetric(counter);
    },
    counter(name, help, labels) {
      return new Counter({ name, help, labelNames: [...labels], registers: [registry] });
    },
    snapshot,
    render: async () => renderSnapshot(await snapshot()),
  };
}

/** prom-client's own form has these fields, but for its declared types and percentiles of nothing, which are not numbers. */
async function familiesOf(registry: Registry): Promise<MetricsSnapshot> {
  const families = (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
  return families.map((family) => ({
    ...family,
    aggregator: AGGREGATORS[family.aggregator] ?? family.aggregator,
    values: family.values.map((sample) => (Number.isNaN(sample.value) ? { ...sample, value: 0 } : sample)),
  }));
}

function familiesOfMeters(meters: readonly RequestMeter[]): MetricsSnapshot {
  const samples = meters.map((meter) => meter.samples());
  const names = Object.keys(REQUEST_FAMILIES) as RequestFamily[];
  return names.map((name) => ({
    name,
    ...REQUEST_FAMILIES[name],
    aggregator: 'sum',
    values: samples.flatMap((each) => each[name]),
  }));
}
