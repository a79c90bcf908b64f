export { EXIT_CODES, type ExitReason } from './exit-codes.js';
export { serviceSections, SERVICES, type ServiceName } from './services/serve.js';
export { standaloneSections } from './standalone/settings.js';
export { startStandalone } from './standalone/start.js';
