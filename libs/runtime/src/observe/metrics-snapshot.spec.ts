import { describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from './metrics.js';
import { joinSnapshots, lastingPart, renderSnapshot } from './metrics-snapshot.js';

/** A process that answered `requests` requests and holds `connections`. */
function measured(requests: number, connections: number): Metrics {
  const metrics = createMetrics();
  const meter = metrics.requestMeter('registry', ['blob']);
  for (let count = 0; count < requests; count += 1) {
    meter.begin();
    meter.record({ route: 'blob', method: 'GET', status: 200, seconds: 0.02, errorCode: undefined });
  }
  metrics.poolGauge('content', () => ({ total: connections, idle: 1, waiting: 0 }));
  metrics.gauge('redis_up', 'Whether it works.', () => (connections > 2 ? 1 : 0));
  return metrics;
}

async function valuesOf(...processes: readonly Metrics[]): Promise<Map<string, number>> {
  const text = await renderSnapshot(joinSnapshots(await Promise.all(processes.map((each) => each.snapshot()))));
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('joinSnapshots', () => {
  it('adds counters, histograms and what processes hold', async () => {
    const values = await valuesOf(measured(2, 3), measured(5, 1), createMetrics());
    const labels = 'service="registry",route="blob",method="GET"';
    expect(values.get(`http_requests_total{${labels},status="200"}`)).toBe(7);
    expect(values.get(`http_request_duration_seconds_bucket{${labels},le="0.01"}`)).toBe(0);
    expect(values.get(`http_request_duration_seconds_bucket{${labels},le="0.025"}`)).toBe(7);
    expect(values.get(`http_request_duration_seconds_count{${labels}}`)).toBe(7);
    expect(values.get('pool_connections{pool="content",state="total"}')).toBe(4);
    expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(2 * process.memoryUsage().rss);
  });

  it('shows the process that is worst off where a sum says nothing', async () => {
    const values = await valuesOf(measured(0, 3), measured(0, 1));
    expect(values.get('redis_up')).toBe(0);
    expect(values.get('nodejs_eventloop_lag_p99_seconds')).toBeLessThan(60);
    expect(values.get('process_start_time_seconds')).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
  });

  it('keeps of a process that ended what must not fall', async () => {
    const lasting = lastingPart(await measured(4, 3).snapshot());
    const text = await renderSnapshot(joinSnapshots([lasting, await measured(1, 1).snapshot()]));
    expect(text).toMatch(/^http_requests_total\{.*status="200"\} 5$/m);
    expect(text).toContain('pool_connections{pool="content",state="total"} 1\n');
  });
});
