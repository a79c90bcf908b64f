export { describeConfiguration } from './config/describe-configuration.js';
export { ConfigError, loadConfig } from './config/load-config.js';
export type { LoadConfigOptions } from './config/load-config.js';
export { maskedConfig } from './config/masked-config.js';
export { isSealedByFormerSecret, openWithRing, sealWithRing, signWithRing, verifyWithRing } from './config/ring.js';
export { Secret } from './config/secret.js';
export type { SecretRing } from './config/secret.js';
export { configKeys, section, variableName } from './config/section.js';
export type { ConfigKey, ConfigOf, ConfigSection, SectionValues } from './config/section.js';
export {
  httpSection,
  isLoopbackHost,
  logSection,
  opsSection,
  redisSection,
  secretsSection,
} from './config/sections.js';
export type { HttpConfig, LogConfig, OpsConfig } from './config/sections.js';
export { boolean, byteSize, durationMs, port, secret, secretRing, textList, wholeNumber } from './config/values.js';
