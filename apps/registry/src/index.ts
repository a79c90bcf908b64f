export { deliverySection, registrySections } from './config.js';
export type { RegistryConfig } from './config.js';
export { startRegistry } from './start-registry.js';
