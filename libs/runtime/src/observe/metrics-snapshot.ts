import { AggregatorRegistry } from 'prom-client';

/** What one process measured at one moment, in a form that crosses to another process. */
export type MetricsSnapshot = readonly MetricFamily[];

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  /** What the same value of several processes comes to. */
  readonly aggregator: 'sum' | 'max' | 'min' | 'first';
  readonly values: readonly MetricSample[];
}

export interface MetricSample {
  /** Differs from the family's for the parts of a histogram. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The Prometheus text format 0.0.4. */
export function renderSnapshot(snapshot: MetricsSnapshot): Promise<string> {
  return AggregatorRegistry.aggregate([snapshot]).metrics();
}

/** Several processes as one. */
export function joinSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const families = new Map<string, { readonly family: MetricFamily; readonly values: Map<string, MetricSample> }>();
  for (const family of snapshots.flat()) {
    const joined = families.get(family.name) ?? { family, values: new Map<string, MetricSample>() };
    families.set(family.name, joined);
    for (const sample of family.values) addSample(joined.values, sample, family.aggregator);
  }
  return [...families.values()].map(({ family, values }) => ({ ...family, values: [...values.values()] }));
}

/** What must not fall when its process ends: counters, and histograms, which are made of them. */
export function lastingPart(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.filter(({ type }) => type === 'counter' || type === 'histogram');
}

function addSample(
  values: Map<string, MetricSample>,
  sample: MetricSample,
  aggregator: MetricFamily['aggregator'],
): void {
  const key = `${sample.metricName ?? ''} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
  const present = values.get(key);
  values.set(
    key,
    present === undefined ? sample : { ...present, value: join(present.value, sample.value, aggregator) },
  );
}

function join(one: number, other: number, aggregator: MetricFamily['aggregator']): number {
  switch (aggregator) {
    case 'sum':
      return one + other;
    case 'max':
      return Math.max(one, other);
    case 'min':
      return Math.min(one, other);
    case 'first':
      return one;
  }
}
