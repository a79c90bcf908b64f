import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listed } from '@entrepot/content/ports/blob-store-trial.suite';
import { recoveryLogSuite } from '@entrepot/content/ports/recovery-log.suite';
import { expect, it } from 'vitest';
import { FilesystemRecoveryLog } from './filesystem-recovery-log.js';
import { openFilesystemBlobStore } from './open-filesystem-blob-store.js';

recoveryLogSuite('filesystem', async () => {
  const root = await mkdtemp(join(tmpdir(), 'recovery-log-'));
  const store = await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 0 });
  return {
    log: new FilesystemRecoveryLog(root),
    objects: () => listed(store),
    close: () => rm(root, { recursive: true }),
  };
});

it('overlooks what a crash left, and a directory that was removed is made again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'recovery-log-'));
  const log = new FilesystemRecoveryLog(root);
  await mkdir(join(root, 'recovery'));
  await writeFile(join(root, 'recovery', '0000000000000001.jsonl.gz.0011aabb'), 'torn');
  expect(await log.list()).toEqual([]);
  await rm(join(root, 'recovery'), { recursive: true });
  const name = '0000000000000002.jsonl.gz' as Parameters<typeof log.append>[0];
  await log.append(name, Buffer.from('whole'));
  await rm(join(root, 'recovery'), { recursive: true });
  await log.append(name, Buffer.from('again'));
  expect(await log.list()).toEqual([name]);
  await rm(root, { recursive: true });
});
