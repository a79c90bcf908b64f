/** Longest life that a token may be given, and that a verifier accepts. */
export const MAX_TOKEN_LIFETIME_MS = 3_600_000;
/** Shortest life: clients raise anything below to this (distribution, token specification). */
export const MIN_TOKEN_LIFETIME_MS = 60_000;
/** How far the clocks of issuer and verifier may be apart, for `exp`, `nbf` and `iat`. */
export const TOKEN_LEEWAY_MS = 60_000;
/** Longest token looked at, in characters; larger ones are refused before any parsing. */
export const MAX_TOKEN_LENGTH = 16 * 1024;
/** For how long a change of access must be remembered so that no token from before it is still good. */
export const REVOCATION_WINDOW_MS = MAX_TOKEN_LIFETIME_MS + 2 * TOKEN_LEEWAY_MS;
