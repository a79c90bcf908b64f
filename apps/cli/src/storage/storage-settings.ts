import { existsSync } from 'node:fs';
import { findPlaces, type ObjectPlace, type StorageDriver } from '@entrepot/blob-store';
import { deliverySection } from '@entrepot/registry/settings';
import { loadConfig, type SectionValues } from '@entrepot/runtime';
import { CommandFailure } from '../exit-codes.js';
import { dataPaths } from '../standalone/data-directory.js';
import { dataSection } from '../standalone/sections.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';

/** What the storage commands read of the settings. */
export interface StorageSettings {
  readonly storage: SectionValues<typeof deliverySection>;
  readonly dataDirectory: string;
  /** An Entrepot was started over the data directory: storage has its place in there. */
  readonly hasDataDirectory: boolean;
}

/** Throws `ConfigError`. */
export function readStorageSettings(source: SettingsSource): StorageSettings {
  const config = loadConfig([deliverySection, dataSection], { ...source, known: standaloneSections });
  const paths = dataPaths(config.data.dir);
  return { storage: config.storage, dataDirectory: paths.top, hasDataDirectory: existsSync(paths.lock) };
}

/** The store of a driver, as it stands; nothing is made. Throws `CommandFailure` where its settings are missing. */
export async function findPlace(driver: StorageDriver, settings: StorageSettings): Promise<ObjectPlace> {
  const places = await findPlaces(settings.storage, settings.dataDirectory);
  const place = places.find(({ name }) => name === driver);
  if (place) return place;
  throw missingSettings(driver, settings);
}

/** Says which setting the store of a driver lacks. */
export function missingSettings(driver: StorageDriver, { dataDirectory }: StorageSettings): CommandFailure {
  switch (driver) {
    case 'filesystem': {
      const found = `there is no storage in ${dataDirectory}`;
      return new CommandFailure('config', `ENTREPOT_STORAGE_ROOT: required, but not set, and ${found}`);
    }
    case 's3':
      return new CommandFailure('config', 'ENTREPOT_STORAGE_BUCKET: required, but not set');
  }
}
