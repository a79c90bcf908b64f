export { createAuth } from './create-auth.js';
export type { Auth, AuthConfig, AuthResources } from './create-auth.js';
export { AUTH_ROUTES } from './http/auth.controller.js';
export { authSections, startAuth } from './start-auth.js';
