export { EXIT_CODES, type ExitReason } from './exit-codes.js';
export { standaloneSections } from './standalone/settings.js';
export { startStandalone } from './standalone/start.js';
