import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.js';
import type { RequestMeasure } from './request-meter.js';

const measure: RequestMeasure = { route: 'blob', method: 'GET', status: 200, seconds: 0.02, errorCode: undefined };

describe('createMetrics', () => {
  it('renders request counts and durations', async () => {
    const metrics = createMetrics();
    const meter = metrics.requestMeter('registry', ['blob']);
    for (const seconds of [0.0005, 0.02, 0.02, 120]) {
      meter.begin();
      meter.record({ ...measure, seconds });
    }
    meter.begin();
    meter.record({ ...measure, status: 404, errorCode: 'BLOB_UNKNOWN' });
    meter.begin();
    const text = await metrics.render();
    const labels = 'service="registry",route="blob",method="GET"';
    expect(text).toContain(`http_requests_total{${labels},status="200"} 4`);
    expect(text).toContain(`http_requests_total{${labels},status="404"} 1`);
    expect(text).toContain(`http_request_duration_seconds_bucket{${labels},le="0.001"} 1`);
    expect(text).toContain(`http_request_duration_seconds_bucket{${labels},le="0.025"} 4`);
    expect(text).toContain(`http_request_duration_seconds_bucket{${labels},le="60"} 4`);
    expect(text).toContain(`http_request_duration_seconds_bucket{${labels},le="+Inf"} 5`);
    expect(text).toContain(`http_request_duration_seconds_count{${labels}} 5`);
    expect(text).toContain('http_errors_total{service="registry",code="BLOB_UNKNOWN"} 1');
    expect(text).toContain('http_requests_in_flight{service="registry"} 1');
  });

  it('bounds the label values, whatever a client sends', async () => {
    const metrics = createMetrics();
    const meter = metrics.requestMeter('registry', ['blob']);
    for (let index = 0; index < 1000; index += 1) {
      meter.begin();
      meter.record({ ...measure, route: `route-${index}`, method: `METHOD${index}`, errorCode: `CODE_${index}` });
    }
    const text = await metrics.render();
    expect(text).toContain('http_requests_total{service="registry",route="other",method="other",status="200"} 1000');
    expect(text.match(/^http_/gm)?.length).toBeLessThan(100);
  });

  it('reads pools, gauges and totals when scraped', async () => {
    const metrics = createMetrics();
    metrics.poolGauge('content', () => ({ total: 4, idle: 3, waiting: 2 }));
    let value = 1;
    metrics.gauge('open_things', 'Open things.', () => value);
    metrics.total('moved_total', 'Things moved.', () => value * 10);
    const kept = () => (value === 1 ? [{ labels: { kind: 'old' }, value }] : [{ labels: { kind: 'new' }, value }]);
    metrics.gauges('kept_things', 'Things kept.', { labels: ['kind'], read: kept });
    await metrics.render();
    value = 2;
    const text = await metrics.render();
    expect(text).toContain('pool_connections{pool="content",state="waiting"} 2');
    expect(text).toContain('open_things 2');
    expect(text).toContain('moved_total 20');
    expect(text).toContain('kept_things{kind="new"} 2');
    expect(text).not.toContain('kind="old"');
  });

  it('counts what apps count', async () => {
    const metrics = createMetrics();
    const counter = metrics.counter('logins_total', 'Logins.', ['result']);
    counter.inc({ result: 'refused' });
    expect(await metrics.render()).toContain('logins_total{result="refused"} 1');
  });

  it('is text that Prometheus can parse: each family announced once, no stray lines', async () => {
    const metrics = createMetrics();
    metrics.requestMeter('registry', ['blob']);
    metrics.requestMeter('auth', ['token']);
    const text = await metrics.render();
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(new Set(types).size).toBe(types.length);
    for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
      expect(line).toMatch(/^[a-z_:][\w:]*(\{[^}]*\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/i);
    }
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});
