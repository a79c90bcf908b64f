import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StoreUnavailable, type WalkedStore } from '@entrepot/content';
import { listed } from '@entrepot/content/ports/blob-store-trial.suite';
import { describe, expect, it } from 'vitest';
import { MemoryBlobStore } from '../memory/memory-blob-store.js';
import { MemoryRecoveryLog } from '../memory/memory-recovery-log.js';
import { checkPlace } from './check-place.js';
import type { ObjectPlace } from './object-place.js';

const place = (store: WalkedStore, more: Partial<ObjectPlace> = {}): ObjectPlace => ({
  name: 'memory',
  where: 'here',
  keyPattern: '.',
  store,
  isRemote: false,
  recovery: new MemoryRecoveryLog(),
  ...more,
});

async function outcomes(checked: ObjectPlace): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { step, outcome, note } of checkPlace(checked)) {
    found[step] = outcome;
    expect(note).not.toBe('');
  }
  return found;
}

describe('a check', () => {
  it('does each step and leaves nothing', async () => {
    const store = new MemoryBlobStore();
    const all = { write: 'ok', read: 'ok', range: 'ok', multipart: 'ok', presign: 'skipped', delete: 'ok' };
    expect(await outcomes(place(store))).toEqual(all);
    expect(await listed(store)).toEqual([]);
  });

  it('goes on behind a step that fails, without those that need it', async () => {
    class Full extends MemoryBlobStore {
      override async write(): Promise<never> {
        throw new StoreUnavailable('full');
      }
    }
    const all = { write: 'failed', read: 'skipped', range: 'skipped', multipart: 'failed', delete: 'ok' };
    expect(await outcomes(place(new Full()))).toMatchObject(all);
  });

  it('notices other bytes than it wrote', async () => {
    class Forgetful extends MemoryBlobStore {
      override read(...[key, range, sink]: Parameters<WalkedStore['read']>): Promise<void> {
        return super.read(key, range, (chunk) => sink(Buffer.alloc(chunk.length)));
      }
    }
    const all = { write: 'ok', read: 'failed', range: 'failed', multipart: 'failed', delete: 'ok' };
    expect(await outcomes(place(new Forgetful()))).toMatchObject(all);
  });

  it('follows a link as a client would', async () => {
    const store = new MemoryBlobStore();
    const server = createServer((request, response) => {
      const key = decodeURIComponent((request.url ?? '').slice(1)) as Parameters<WalkedStore['size']>[0];
      response.setHeader('Content-Type', 'application/octet-stream');
      void store
        .read(key, { start: 0, end: 2 ** 20 - 1 }, async (chunk) => void response.write(Buffer.from(chunk)))
        .then(() => response.end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const linked = (origin: string) => place(store, { sign: async (key) => `${origin}/${encodeURIComponent(key)}` });
    expect(await outcomes(linked(`http://127.0.0.1:${port}`))).toMatchObject({ presign: 'ok' });
    server.close();
    server.closeAllConnections();
    expect(await outcomes(linked(`http://127.0.0.1:${port}`))).toMatchObject({ presign: 'failed' });
    expect(await outcomes(linked(`http://${randomUUID()}.invalid`))).toMatchObject({ presign: 'failed' });
  });
});
