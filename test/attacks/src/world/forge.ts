import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { inject } from 'vitest';
import { Secret, openWithRing } from '@entrepot/runtime';
import { withSigningKeys } from './administer.js';
import { PLANTED } from './settings.js';

/** The parts of a token, to be changed and signed again. */
export interface OpenToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Makes the signature of the text `header.payload`. */
export type Sign = (signed: string) => string;

export function openToken(token: string): OpenToken {
  const [header = '', payload = ''] = token.split('.');
  return { header: decode(header), payload: decode(payload) };
}

/** A token of these parts; `undefined` values are left out. */
export function sealToken({ header, payload }: OpenToken, signWith: Sign): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${signWith(signed)}`;
}

/** ES256 with the raw signature. */
export function es256(key: KeyObject): Sign {
  return (signed) => sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

/** The key that the product signs with, taken from its database: what it accepts beyond good signatures shows here. */
export async function readProductKey(kid: string): Promise<KeyObject> {
  const keys = await withSigningKeys(inject('product').databaseUrl, (stored) => stored.listSealed());
  const sealed = keys.find((key) => key.kid === kid)?.sealedPrivate;
  if (sealed === undefined) throw new Error(`the product has no key ${kid}`);
  return createPrivateKey(openWithRing([new Secret(PLANTED.secretsKey)], sealed, `signing-key:${kid}`));
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
