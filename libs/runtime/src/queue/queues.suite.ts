import { expect, it } from 'vitest';
import type { Queues } from './create-queues.js';

/** What queues do, wherever they live. `open` opens those of a service as another process of it would; log lines go to `lines`. */
export function queuesSuite(open: (service: string, lines?: string[]) => Promise<Queues>): void {
  it('runs a task again and again, also after it failed', async () => {
    const lines: string[] = [];
    const queues = await open('repeating', lines);
    let runs = 0;
    await new Promise<void>((resolve) => {
      const task = async (): Promise<void> => {
        runs += 1;
        if (runs === 1) throw new Error('the first run fails');
        if (runs === 3) resolve();
      };
      queues.everyInterval('look', 100, task);
    });
    expect(lines.some((line) => line.includes('the first run fails'))).toBe(true);
  });

  it('fires once for all processes of a service, however they start', async () => {
    const lines: string[] = [];
    const firings: number[] = [];
    const processes = await Promise.all(Array.from({ length: 3 }, () => open('shared', lines)));
    await new Promise<void>((resolve) => {
      const task = async (): Promise<void> => {
        firings.push(Date.now());
        if (firings.length === 12) resolve();
      };
      for (const queues of processes) queues.everyInterval('look', 300, task);
    });
    // Schedules of their own would bring the twelve firings within four intervals.
    const elapsedMs = (firings.at(-1) ?? 0) - (firings[0] ?? 0);
    expect(elapsedMs).toBeGreaterThan(6 * 300);
  });

  it('tells a running task to stop when it closes, and waits for it', async () => {
    const queues = await open('closing');
    const started = Promise.withResolvers<void>();
    let finished = false;
    queues.everyInterval('look', 100, async (signal) => {
      started.resolve();
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      });
      finished = true;
    });
    await started.promise;
    await queues.close();
    expect(finished).toBe(true);
  });

  it('wakes a task out of its turn, and once more where it runs just then', async () => {
    const queues = await open('waking');
    const firstEnds = Promise.withResolvers<void>();
    let runs = 0;
    queues.everyInterval('look', 3_600_000, async () => {
      runs += 1;
      if (runs === 1) await firstEnds.promise;
    });
    queues.wake('look');
    await expect.poll(() => runs).toBe(1);
    for (let times = 0; times < 5; times += 1) queues.wake('look');
    firstEnds.resolve();
    await expect.poll(() => runs, { timeout: 5_000 }).toBe(2);
    queues.wake('look');
    await expect.poll(() => runs, { timeout: 5_000 }).toBe(3);
    queues.wake('nobody knows this one');
  });
}
