import { randomBytes } from 'node:crypto';
import { isRecoveryName, type RecoveryLog, type RecoveryName } from '@entrepot/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** One log to try, empty, with the objects of the store that it lies beside. */
export interface RecoveryLogTrial {
  readonly log: RecoveryLog;
  /** The objects beside it. */
  objects(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Every promise of the port `RecoveryLog`, tried on one implementation. */
export function recoveryLogSuite(name: string, open: () => Promise<RecoveryLogTrial>): void {
  describe(`recovery log: ${name}`, () => {
    let trial: RecoveryLogTrial;
    let log: RecoveryLog;

    beforeAll(async () => {
      trial = await open();
      log = trial.log;
    });

    afterAll(async () => trial.close());

    it('begins empty', async () => {
      expect(await log.list()).toEqual([]);
      expect(await log.read(named('0000000000000001.jsonl.gz'))).toBeUndefined();
      await log.remove(named('0000000000000001.jsonl.gz'));
    });

    it('keeps documents byte for byte, in the order of their names', async () => {
      const names = [
        '0000000000000010.jsonl.gz',
        '0000000000000002-more.jsonl.gz',
        '0000000000000003-part-000002.jsonl.gz',
        '0000000000000003-part-000001.jsonl.gz',
        '0000000000000003-snapshot.jsonl.gz',
      ].map(named);
      const documents = names.map((each) => [each, randomBytes(100_003)] as const);
      await Promise.all(documents.map(([each, bytes]) => log.append(each, bytes)));
      expect(await log.list()).toEqual(names.toSorted());
      for (const [each, bytes] of documents) expect(bytes.equals((await log.read(each)) ?? Buffer.alloc(0))).toBe(true);
    });

    it('replaces a document that is written again', async () => {
      const each = named('0000000000000010.jsonl.gz');
      await log.append(each, Buffer.from('second'));
      expect(Buffer.from((await log.read(each)) ?? []).toString()).toBe('second');
      expect((await log.list()).filter((listed) => listed === each)).toHaveLength(1);
    });

    it('takes an empty document', async () => {
      const each = named('0000000000000011.jsonl.gz');
      await log.append(each, new Uint8Array());
      expect((await log.read(each))?.length).toBe(0);
    });

    it('refuses other names', async () => {
      for (const text of ['', '../x', '1.jsonl.gz', '0000000000000001.jsonl.gz/..', '0000000000000001-x.jsonl.gz']) {
        expect(isRecoveryName(text)).toBe(false);
      }
    });

    it('is not among the objects', async () => {
      expect(await trial.objects()).toEqual([]);
    });

    it('removes documents one by one', async () => {
      for (const each of await log.list()) await log.remove(each);
      expect(await log.list()).toEqual([]);
    });
  });
}

function named(text: string): RecoveryName {
  if (!isRecoveryName(text)) throw new TypeError(`${text} is no name`);
  return text;
}
