import type { StorageConfig } from '../config.js';
import { findFilesystemPlace, openFilesystemPlace } from './filesystem-place.js';
import { JoinedBlobStore } from './joined-blob-store.js';
import type { ObjectPlace } from './object-place.js';
import { findS3Place, openS3Place } from './s3-place.js';

/** Stores that settings can name. */
export type StorageDriver = StorageConfig['driver'];

/** Opens one store, made where it is missing and proven to work. Rejects with `StoreUnavailable`, saying what to do. */
export function openPlace(driver: StorageDriver, config: StorageConfig, dataDirectory: string): Promise<ObjectPlace> {
  switch (driver) {
    case 'filesystem':
      return openFilesystemPlace(config, dataDirectory);
    case 's3':
      return openS3Place(config);
  }
}

/** Every store that has settings, not asked for anything yet. */
export function findPlaces(config: StorageConfig, dataDirectory: string): ObjectPlace[] {
  return [findFilesystemPlace(config, dataDirectory), findS3Place(config)].filter((place) => place !== undefined);
}

/** Every store that has settings, joined: new objects go to the one that the driver names, opened as `openPlace` does. */
export async function openBlobStore(config: StorageConfig, dataDirectory: string): Promise<JoinedBlobStore> {
  return joinPlaces(await openPlace(config.driver, config, dataDirectory), findPlaces(config, dataDirectory));
}

/** `current` in front of whatever else there is. */
export function joinPlaces(current: ObjectPlace, places: readonly ObjectPlace[]): JoinedBlobStore {
  return new JoinedBlobStore(current, [current, ...places.filter(({ name }) => name !== current.name)]);
}
