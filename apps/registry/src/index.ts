export { registrySections } from './config.js';
export type { RegistryConfig } from './config.js';
export { deliverySection } from './delivery-section.js';
export { startRegistry } from './start-registry.js';
