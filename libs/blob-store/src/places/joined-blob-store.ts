import { StoreUnavailable } from '@entrepot/content';
import type {
  BlobStore,
  ListedObject,
  ObjectKey,
  ObjectRecord,
  ObjectWriter,
  ReadRange,
  WriteFrom,
} from '@entrepot/content';
import type { ObjectPlace } from './object-place.js';

/**
 * Several stores as one. A key says which store its object lies in, so that objects of every store can be read, continued
 * and removed at any time; new ones go to the current store. A key of a store that is not open is no missing object.
 */
export class JoinedBlobStore implements BlobStore {
  readonly #places: readonly { readonly place: ObjectPlace; readonly keyForm: RegExp }[];

  /** The current place is among the places. */
  constructor(
    readonly current: ObjectPlace,
    places: readonly ObjectPlace[],
  ) {
    this.#places = places.map((place) => ({ place, keyForm: new RegExp(place.keyPattern) }));
  }

  get places(): readonly ObjectPlace[] {
    return this.#places.map(({ place }) => place);
  }

  /** Where the object of a key lies. Throws `StoreUnavailable` where that store is not open. */
  placeOf(key: ObjectKey): ObjectPlace {
    for (const { place, keyForm } of this.#places) {
      if (keyForm.test(key)) return place;
    }
    throw new StoreUnavailable(
      `object ${key} lies in a store that is not set up here; give the settings of both (ENTREPOT_STORAGE_ROOT, ` +
        'ENTREPOT_STORAGE_BUCKET) until `entrepot storage migrate` has moved everything',
    );
  }

  storeOf(key: ObjectKey): string {
    return this.#places.find(({ keyForm }) => keyForm.test(key))?.place.name ?? 'unknown';
  }

  newKey(): ObjectKey {
    return this.current.store.newKey();
  }

  async write(key: ObjectKey, from: WriteFrom): Promise<ObjectWriter> {
    return this.placeOf(key).store.write(key, from);
  }

  async read(key: ObjectKey, range: ReadRange, sink: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    return this.placeOf(key).store.read(key, range, sink);
  }

  async size(key: ObjectKey): Promise<number | undefined> {
    return this.placeOf(key).store.size(key);
  }

  async record(key: ObjectKey): Promise<ObjectRecord | undefined> {
    return this.placeOf(key).store.record(key);
  }

  async remove(key: ObjectKey): Promise<void> {
    return this.placeOf(key).store.remove(key);
  }

  /** Of all stores at the same time: one that does not do its work holds up no other. */
  async removeMany(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>> {
    const failures = new Map<ObjectKey, unknown>();
    const byStore = Map.groupBy(keys, (key) => {
      try {
        return this.placeOf(key).store;
      } catch (error) {
        failures.set(key, error);
        return undefined;
      }
    });
    const removals = [...byStore].map(([store, inside]) => store?.removeMany(inside) ?? new Map<ObjectKey, unknown>());
    for (const failed of await Promise.all(removals)) for (const [key, error] of failed) failures.set(key, error);
    return failures;
  }

  /** One store after the other; in order within each. */
  async *list({ after }: { after?: ObjectKey } = {}): AsyncGenerator<ListedObject> {
    const first = after === undefined ? 0 : this.places.indexOf(this.placeOf(after));
    for (const [index, place] of this.places.slice(first).entries()) {
      yield* place.store.list(index === 0 && after !== undefined ? { after } : {});
    }
  }

  /** Of the current store alone: it must take what is pushed. */
  check(): Promise<void> {
    return this.current.store.check();
  }
}
