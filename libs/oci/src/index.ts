export { ERROR_TABLE, RegistryError } from './errors.js';
export type { RegistryErrorCode, RegistryErrorOptions } from './errors.js';
