import type { StorageConfig } from '../config.js';
import { findFilesystemPlace, openFilesystemPlace } from './filesystem-place.js';
import { JoinedBlobStore } from './joined-blob-store.js';
import type { ObjectPlace } from './object-place.js';

/** Stores that settings can name. */
export type StorageDriver = StorageConfig['driver'];

/** Loaded where a bucket is named only: the client library of S3 takes a fifth of the time in which a command starts. */
const loadS3 = () => import('./s3-place.js');

/** Opens one store, made where it is missing and proven to work. Rejects with `StoreUnavailable`, saying what to do. */
export async function openPlace(
  driver: StorageDriver,
  config: StorageConfig,
  dataDirectory: string,
): Promise<ObjectPlace> {
  switch (driver) {
    case 'filesystem':
      return openFilesystemPlace(config, dataDirectory);
    case 's3':
      return (await loadS3()).openS3Place(config);
  }
}

/** Every store that has settings, not asked for anything yet. */
export async function findPlaces(config: StorageConfig, dataDirectory: string): Promise<ObjectPlace[]> {
  const bucket = config.bucket === undefined ? undefined : (await loadS3()).findS3Place(config);
  return [findFilesystemPlace(config, dataDirectory), bucket].filter((place) => place !== undefined);
}

/** Every store that has settings, joined: new objects go to the one that the driver names, opened as `openPlace` does. */
export async function openBlobStore(config: StorageConfig, dataDirectory: string): Promise<JoinedBlobStore> {
  const current = await openPlace(config.driver, config, dataDirectory);
  return joinPlaces(current, await findPlaces(config, dataDirectory));
}

/** `current` in front of whatever else there is. */
export function joinPlaces(current: ObjectPlace, places: readonly ObjectPlace[]): JoinedBlobStore {
  return new JoinedBlobStore(current, [current, ...places.filter(({ name }) => name !== current.name)]);
}
