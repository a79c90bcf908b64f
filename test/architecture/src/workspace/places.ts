import { fileURLToPath } from 'node:url';

/** Top of this workspace. */
export const WORKSPACE = fileURLToPath(new URL('../../../..', import.meta.url));

/** A small workspace in which every rule is broken. */
export const BROKEN_WORKSPACE = fileURLToPath(new URL('../../fixtures/broken', import.meta.url));
