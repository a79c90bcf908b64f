import type { BlobStore } from '../ports/blob-store.js';
import type { Purge } from '../ports/purge.js';
import type { Reviews, ReviewStep } from '../ports/reviews.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { Uploads } from '../ports/uploads.js';
import type { PortPoint } from './fail-points.js';

/** Told at every point that is passed; the operation waits for it. */
export type Reached = (point: PortPoint) => Promise<void>;

/** The same uploads, whose every operation is watched. */
export function watchUploads(uploads: Uploads, reached: Reached): Uploads {
  return watched('uploads', uploads, reached);
}

/** The same store; its writers are watched too. */
export function watchStore<Store extends BlobStore>(store: Store, reached: Reached): Store {
  return watched('store', store, reached, {
    write: async (key, from) => watched('writer', await store.write(key, from), reached),
  });
}

/** The same unit of work, and the statements within. */
export function watchWork(work: UnitOfWork, reached: Reached): UnitOfWork {
  return watched('work', work, reached, {
    run: (inside) => work.run((tx) => inside(watched('transaction', tx, reached))),
  });
}

export function watchPurge(purge: Purge, reached: Reached): Purge {
  return watched('purge', purge, reached);
}

export function watchReviews(reviews: Reviews, reached: Reached): Reviews {
  return watched('reviews', reviews, reached);
}

/** Told of the steps within a reviewer's transaction, which waits meanwhile with its locks. */
export function watchReviewSteps(reached: Reached): (step: ReviewStep) => Promise<void> {
  return (step) => reached(`review.${step}:after`);
}

/** What does not return a promise is passed over: it is over at once. */
function watched<Port extends object>(
  name: string,
  port: Port,
  reached: Reached,
  instead: Partial<BlobStore & UnitOfWork> = {},
): Port {
  return new Proxy(port, {
    get(target, property) {
      const operation: unknown = Reflect.get({ ...instead }, property) ?? Reflect.get(target, property, target);
      if (typeof operation !== 'function') return operation;
      return (...args: unknown[]): unknown => {
        const point = `${name}.${String(property)}`;
        const run = (): unknown => Reflect.apply(operation, target, args);
        return isPromised(property) ? passed(point, run, reached) : run();
      };
    },
  });
}

async function passed(point: string, run: () => unknown, reached: Reached): Promise<unknown> {
  await reached(`${point}:before` as PortPoint);
  const result = await run();
  await reached(`${point}:after` as PortPoint);
  return result;
}

/** What asks nobody, and what is asked bit by bit. */
const UNWATCHED = new Set<string | symbol>(['newKey', 'storeOf', 'list']);

function isPromised(property: string | symbol): boolean {
  return !UNWATCHED.has(property);
}
