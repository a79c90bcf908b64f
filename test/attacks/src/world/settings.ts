/** Secrets that the product is started with: known, so that the log can be searched for them. */
export const PLANTED = {
  administratorPassword: 'planted-administrator-Xk3vQ9',
  userPassword: 'planted-user-password-Tz71mB',
  httpSecret: 'planted-http-secret-5fQ2xLr8Wn0cVb6Yk1Jd4Hs',
  formerHttpSecret: 'planted-former-http-secret-a9Gm3Tq7Zp2Xe5Rw',
  secretsKey: 'planted-secrets-key-Jm8Zt4Kq1Xw6Pc3Vb9Ny7Rd',
} as const;

/** Limits that are shortened, so that what takes minutes in production is seen in seconds. */
export const LIMITS = { idleMs: 3000, headerMs: 2000, maxUploads: 150, maxBlobBytes: 16 * 1024 * 1024 } as const;

/** Settings of the started product; what is not here has its default. */
export const SETTINGS: Readonly<Record<string, string>> = {
  ENTREPOT_ADMIN_PASSWORD: PLANTED.administratorPassword,
  ENTREPOT_HTTP_SECRET: `${PLANTED.httpSecret},${PLANTED.formerHttpSecret}`,
  ENTREPOT_SECRETS_KEY: PLANTED.secretsKey,
  ENTREPOT_HTTP_IDLE_TIMEOUT: `${LIMITS.idleMs}ms`,
  ENTREPOT_HTTP_HEADER_TIMEOUT: `${LIMITS.headerMs}ms`,
  ENTREPOT_HTTP_ACCESS_LOG: 'combined',
  ENTREPOT_CONTENT_MAX_UPLOADS: String(LIMITS.maxUploads),
  ENTREPOT_CONTENT_MAX_BLOB: `${LIMITS.maxBlobBytes}B`,
  ENTREPOT_LOG_LEVEL: 'trace',
};
