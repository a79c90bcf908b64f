import { attemptEntrepot, startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let product: Entrepot;

beforeAll(async () => {
  product = await startEntrepot({ settings: { ENTREPOT_GC_INTERVAL: '1h' } });
});
afterAll(() => product.remove());

const readJson = async (args: readonly string[]) => JSON.parse(await product.run([...args, '--json'])) as never;

/** When usage was added up last by itself. */
async function lastRun(): Promise<string | null | undefined> {
  const schedules: readonly { action: string; lastRun: string | null }[] = await readJson(['schedule', 'list']);
  return schedules.find(({ action }) => action === 'fold')?.lastRun;
}

describe('entrepot job', () => {
  it('runs a job and prints what it did', async () => {
    const { exitCode, output, complaint } = await product.attempt(['job', 'run', 'review', '--wait']);
    expect({ exitCode, complaint }).toMatchObject({ exitCode: 0, complaint: expect.stringContaining('review: done') });
    expect(output).toMatch(/^review done after \d+\.\d s\n {2}repositories removed: 0\n[^]*bytes removed: 0\n/);
    const job = await readJson(['job', 'run', 'review', '--wait']);
    expect(job).toMatchObject({
      action: 'review',
      kind: 'review',
      status: 'done',
      result: { objectsRemoved: 0, bytesRemoved: 0 },
    });
  });

  it('lists jobs by what is asked for, with their published names', async () => {
    const jobs: readonly { id: string }[] = await readJson([
      'job',
      'list',
      '--kind',
      'review',
      '--status',
      'done',
      '--limit',
      '1',
    ]);
    expect(jobs).toHaveLength(1);
    expect(Object.keys(jobs[0] ?? {})).toEqual(
      expect.arrayContaining(['id', 'retryFromID', 'workerID', 'status', 'scheduledAt', 'lastUpdated', 'action']),
    );
    expect(await readJson(['job', 'list', '--dead'])).toEqual([]);
    expect(await readJson(['job', 'list', '--running'])).toEqual([]);
    const [{ id } = { id: '' }] = jobs;
    expect(await product.run(['job', 'logs', id, '--follow'])).toMatch(
      /worker_started: worker \S+ runs it\n.* ended: done: \{/,
    );
    expect(await product.run(['job', 'delete', id])).toBe(`deleted the job ${id}\n`);
    expect((await product.attempt(['job', 'logs', id])).exitCode).toBe(1);
  });

  it('cancels a job that waits, and refuses to where it is over', async () => {
    const { id } = (await readJson([
      'job',
      'run',
      'scrub',
      '--at',
      '1h',
      '--deadline',
      '30m',
      '--param',
      'repository=a/b',
    ])) as {
      id: string;
    };
    expect(JSON.parse(await product.run(['job', 'show', id]))).toMatchObject({
      status: 'waiting',
      deadline: '30m',
      parameters: { repository: 'a/b' },
    });
    expect(await product.run(['job', 'cancel', id, '--wait'])).toBe(`job ${id} is canceled\n`);
    const again = await product.attempt(['job', 'cancel', id]);
    expect(again).toMatchObject({ exitCode: 1, complaint: expect.stringContaining('is canceled already') });
  });

  it('ends with 1 where the job failed', async () => {
    const { exitCode, complaint } = await product.attempt([
      'job',
      'run',
      'scrub',
      '--wait',
      '--param',
      'repository=no/where',
    ]);
    expect(exitCode).toBe(1);
    expect(complaint).toContain('there is no repository no/where');
    expect(await readJson(['job', 'list', '--dead'])).toMatchObject([{ status: 'errored', dead: true }]);
  });

  it('says which kinds, statuses and parameters there are', async () => {
    const refusals = [
      [['job', 'run', 'nonsense'], 'there are review, sweep, purge-uploads, scrub, fold'],
      [['job', 'list', '--status', 'nonsense'], 'There are waiting, running, done, canceled, errored.'],
      [['job', 'run', 'review', '--param', 'nonsense'], 'It must be KEY=VALUE.'],
      [['job', 'run', 'review', '--param', 'dry-run=yes'], 'the parameter dry-run must be true or false'],
      [['job', 'run', 'scrub', '--param', 'repositry=a/b'], 'there are dry-run, repository'],
      [['job', 'run', 'review', '--at', 'soon'], 'It must be a time'],
    ] as const;
    for (const [args, reason] of refusals) {
      expect(await product.attempt(args)).toMatchObject({ exitCode: 64, complaint: expect.stringContaining(reason) });
    }
  });
});

describe('entrepot schedule', () => {
  it('lists the defaults of the settings, sets others, and goes back', async () => {
    expect(await readJson(['schedule', 'list'])).toContainEqual(
      expect.objectContaining({ action: 'review', schedule: '@every 1h', source: 'default' }),
    );
    expect(await product.run(['schedule', 'set', 'review', '0 0 3 * * *'])).toMatch(/runs next at \S+T03:00:00/);
    expect(await product.run(['schedule', 'list'])).toMatch(/review +0 0 3 \* \* \* .* cli:/);
    expect(await product.run(['schedule', 'set', 'review', 'off'])).toContain('does not run by itself');
    expect(await product.run(['schedule', 'set', 'review', 'default'])).toContain('(@every 1h)');
    const refused = await product.attempt(['schedule', 'set', 'review', '99 * * * *']);
    expect(refused).toMatchObject({ exitCode: 64, complaint: expect.stringContaining("'99 * * * *' is no schedule") });
  });

  it('runs a job by itself', async () => {
    await product.run(['schedule', 'set', 'fold', '@every', '250ms']);
    const first = await lastRun();
    let last = first;
    while (last === first) last = await lastRun();
    expect(last).not.toBeNull();
  });
});

it('says where no worker is alive', async () => {
  await product.stop();
  const settings = { ENTREPOT_DATA_DIR: product.dataDirectory };
  const { exitCode, complaint } = await attemptEntrepot(['job', 'run', 'review', '--wait'], settings);
  expect(complaint).toContain('no worker is alive; waiting for one');
  expect(exitCode).toBe(69);
});
