import { AccessError } from '../errors.js';

const MAX_PASSWORD_BYTES = 1024;

/** 1 to 1024 bytes of UTF-8 and no NUL: what no hash cuts short, and what is cheap enough to look at. */
export function isUsablePassword(password: string): boolean {
  if (password === '' || password.length > MAX_PASSWORD_BYTES || password.includes('\0')) return false;
  return Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
}

/** @throws AccessError PASSWORD_INVALID */
export function checkNewPassword(password: string): void {
  if (isUsablePassword(password)) return;
  throw new AccessError('PASSWORD_INVALID', `a password has 1 to ${MAX_PASSWORD_BYTES} bytes and no NUL character`);
}
