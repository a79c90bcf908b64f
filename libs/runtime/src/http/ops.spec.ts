import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { createHealth, type HealthCheck } from './health.js';
import { listenOn } from './listen.js';
import { createOpsServer } from './ops.js';

async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listenOn(server, { host: '127.0.0.1', port: 0, section: 'ops' });
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

async function startOps(checks: Readonly<Record<string, HealthCheck>>): Promise<string> {
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
  const config = { host: '127.0.0.1', port: await freePort() };
  const ops = createOpsServer({
    config,
    logger,
    renderMetrics: createMetrics().render,
    checkHealth: createHealth(checks),
  });
  await ops.listen();
  onTestFinished(() => ops.close());
  return `http://127.0.0.1:${config.port}`;
}

describe('the operations port', () => {
  it('gives metrics in the Prometheus format', async () => {
    const answer = await fetch(`${await startOps({})}/metrics`);
    expect(answer.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('process_cpu_seconds_total');
  });

  it('gives health by dependency', async () => {
    const answer = await fetch(`${await startOps({ postgres: async () => undefined })}/health`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      ok: true,
      degraded: false,
      dependencies: [{ name: 'postgres', ok: true, latencyMs: expect.any(Number) }],
    });
  });

  it('is well, though degraded, where only that is away which is not needed', async () => {
    const away = Object.assign(() => Promise.reject(new Error('away')), { isOptional: true as const });
    const answer = await fetch(`${await startOps({ redis: away, store: async () => undefined })}/health`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      ok: true,
      degraded: true,
      dependencies: [
        { name: 'redis', ok: false, optional: true, error: 'away' },
        { name: 'store', ok: true },
      ],
    });
  });

  it('L-05: says what fails, without credentials', async () => {
    const reason = 'postgres://entrepot:planted-password@db is not reachable';
    const answer = await fetch(
      `${await startOps({ postgres: () => Promise.reject(new Error(reason)), store: async () => undefined })}/health`,
    );
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      ok: false,
      dependencies: [
        { name: 'postgres', ok: false },
        { name: 'store', ok: true },
      ],
    });
    expect(text).not.toContain('planted-password');
  });

  it('does not wait for a dependency that does not answer', async () => {
    const answer = await fetch(`${await startOps({ store: () => new Promise(() => undefined) })}/health`);
    expect(await answer.json()).toMatchObject({ ok: false, dependencies: [{ error: 'no answer within 3000 ms' }] });
  });

  it('asks the dependencies once for many questions', async () => {
    let asked = 0;
    const origin = await startOps({
      store: async () => {
        asked += 1;
      },
    });
    await Promise.all(Array.from({ length: 5 }, () => fetch(`${origin}/health`)));
    expect(asked).toBe(1);
  });

  it('L-02: has nothing else', async () => {
    const origin = await startOps({});
    for (const path of ['/', '/debug', '/debug/pprof/', '/config', '/env', '/metrics/x']) {
      expect((await fetch(origin + path)).status).toBe(404);
    }
    expect((await fetch(`${origin}/metrics`, { method: 'POST' })).status).toBe(404);
  });

  it('is off on port 0', async () => {
    const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
    const ops = createOpsServer({
      config: { host: '127.0.0.1', port: 0 },
      logger,
      renderMetrics: createMetrics().render,
      checkHealth: createHealth({}),
    });
    expect(await ops.listen()).toBeUndefined();
    await ops.close();
  });
});
