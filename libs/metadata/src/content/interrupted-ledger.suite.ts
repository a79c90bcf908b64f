import type { ObjectKey } from '@entrepot/content';
import type { Pool } from 'pg';
import { PostgresObjectLedger } from '../index.js';

/** Runs `work` once, when a walk has listed a batch of objects and asks who knows them. */
export class InterruptedLedger extends PostgresObjectLedger {
  #done: Promise<unknown> | undefined;

  constructor(
    pool: Pool,
    private readonly work: () => Promise<unknown>,
  ) {
    super(pool);
  }

  override async claims(uploads: readonly ObjectKey[]) {
    await (this.#done ??= this.work());
    return super.claims(uploads);
  }
}
