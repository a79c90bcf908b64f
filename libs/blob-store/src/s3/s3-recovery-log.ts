import { isRecoveryName, type RecoveryLog, type RecoveryName } from '@entrepot/content';
import { S3Bucket } from './s3-bucket.js';
import type { S3BucketOptions } from './s3-connection.js';
import { isMissing, toStoreUnavailable } from './s3-failure.js';

const PREFIX = 'recovery/';

/** Documents are objects below `<prefix>recovery/`, which no listing of blobs looks at. */
export class S3RecoveryLog implements RecoveryLog {
  readonly #bucket: S3Bucket;

  constructor(options: S3BucketOptions) {
    this.#bucket = new S3Bucket(options);
  }

  append(name: RecoveryName, bytes: Uint8Array): Promise<void> {
    return this.#guard(() => this.#bucket.putBytes(nameOf(name), bytes));
  }

  list(): Promise<RecoveryName[]> {
    return this.#guard(async () => {
      const names: RecoveryName[] = [];
      for await (const { name } of this.#bucket.list(PREFIX)) {
        const bare = name.slice(PREFIX.length);
        if (isRecoveryName(bare)) names.push(bare);
      }
      return names.toSorted();
    });
  }

  read(name: RecoveryName): Promise<Uint8Array | undefined> {
    return this.#guard(async () => {
      try {
        return await this.#bucket.getBytes(nameOf(name));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  remove(name: RecoveryName): Promise<void> {
    return this.#guard(() => this.#bucket.remove(nameOf(name)));
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStoreUnavailable(error, this.#bucket.place);
    }
  }
}

function nameOf(name: RecoveryName): string {
  if (!isRecoveryName(name)) throw new TypeError('not a name of the recovery log');
  return `${PREFIX}${name}`;
}
