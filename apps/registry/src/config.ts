import { loginSection, tokenSection } from '@entrepot/access';
import { contentSection, gcSection } from '@entrepot/content';
import { databaseSection } from '@entrepot/metadata';
import { httpSection, redisSection, type ConfigOf } from '@entrepot/runtime';
import { deliverySection } from './delivery-section.js';

export { deliverySection };

/** Settings that the data plane reads, beside those of every service. */
export const registrySections = [
  httpSection,
  databaseSection,
  redisSection,
  deliverySection,
  contentSection,
  gcSection,
  tokenSection,
  loginSection,
] as const;

export type RegistryConfig = ConfigOf<typeof registrySections>;
