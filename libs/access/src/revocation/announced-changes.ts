import type { AccessTransaction, AccessUnitOfWork } from '../ports/administration.js';

/** Tells of every change of access after it was committed; what was rolled back is not told. */
export class AnnouncedChanges implements AccessUnitOfWork {
  constructor(
    private readonly work: AccessUnitOfWork,
    private readonly announce: () => void,
  ) {}

  async run<T>(work: (tx: AccessTransaction) => Promise<T>): Promise<T> {
    const result = await this.work.run(work);
    this.announce();
    return result;
  }
}
