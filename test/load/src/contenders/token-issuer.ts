import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../machine/run-command.js';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const TOKEN_LIFE_S = 6 * 3600;

/** Mints ES256 tokens in the one form that distribution 2.8 and 3 both accept. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly service: string;
  /** A JSON Web Key Set with the public key (distribution 3: `jwks`). */
  readonly jwksFile: string;
  /** The public key in a self-signed certificate (distribution 2.8: `rootcertbundle`); made on the first call. */
  certificateFile(): Promise<string>;
  /** A token for one repository, good for hours. */
  mint(repository: string, actions: string): string;
}

/** Makes a key pair that lives as long as the directory that its files are written to. */
export function createTokenIssuer(directory: string): TokenIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = libtrustFingerprint(publicKey);
  const jwksFile = join(directory, 'jwks.json');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'ES256', use: 'sig' };
  writeFileSync(jwksFile, JSON.stringify({ keys: [jwk] }));
  const parties = { issuer: 'entrepot-bench', service: 'registry.bench' };
  let certificate: Promise<string> | undefined;
  return {
    ...parties,
    jwksFile,
    certificateFile: () => (certificate ??= writeCertificate(directory, privateKey)),
    mint: (repository, actions) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: parties.issuer,
        aud: parties.service,
        sub: 'admin',
        jti: randomUUID(),
        iat: now,
        nbf: now - 10,
        exp: now + TOKEN_LIFE_S,
        access: [{ type: 'repository', name: repository, actions: actions.split(',') }],
      };
      return signJwt({ typ: 'JWT', alg: 'ES256', kid: keyId }, claims, privateKey);
    },
  };
}

function signJwt(header: object, claims: object, key: KeyObject): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** Base32 of the first 240 bits of the key's SHA-256, in groups of four: the key id of libtrust, which 2.8 looks up. */
function libtrustFingerprint(key: KeyObject): string {
  const hash = createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest();
  const bits = [...hash.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join('');
  return (letters.match(/.{4}/g) ?? []).join(':');
}

/** Node makes no certificates; openssl does. Rejects where it is not installed. */
async function writeCertificate(directory: string, privateKey: KeyObject): Promise<string> {
  const keyFile = join(directory, 'token-key.pem');
  const certificateFile = join(directory, 'token-certificate.pem');
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const subject = ['-subj', '/CN=entrepot-bench', '-days', '2'];
  await runCommand('openssl', ['req', '-new', '-x509', '-key', keyFile, '-out', certificateFile, ...subject]);
  return certificateFile;
}
