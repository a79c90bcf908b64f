export { EXIT_CODES, type ExitReason } from './exit-codes.js';
export { serviceSections, SERVICES } from './services/serve.js';
export type { ServiceName } from './services/served.js';
export { standaloneSections } from './standalone/settings.js';
export { startStandalone } from './standalone/start.js';
