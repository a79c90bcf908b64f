import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { sealPurpose } from '@entrepot/access';
import { PostgresSigningKeys, type DatabasePool } from '@entrepot/metadata';
import { ringSealer, type SecretRing } from '@entrepot/runtime';

import type { StandaloneConfig } from '../standalone/settings.js';
import { formatCount } from '../storage/migration-progress.js';
import type { Findings } from './finding.js';

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;

/** TLS files: theirs to clients, and authorities that are trusted. */
export function checkCertificates({ http, redis, storage }: StandaloneConfig, findings: Findings): void {
  const { tlsCertificate, tlsKey } = http;
  if (tlsCertificate !== undefined) checkFile('ENTREPOT_HTTP_TLS_CERTIFICATE', tlsCertificate, findings);
  if (tlsCertificate !== undefined && tlsKey !== undefined) checkPair(tlsCertificate, tlsKey, findings);
  if (redis.ca !== undefined) checkFile('ENTREPOT_REDIS_CA', redis.ca, findings);
  if (storage.ca !== undefined) checkFile('ENTREPOT_STORAGE_CA', storage.ca, findings);
}

function checkFile(variable: string, path: string, findings: Findings): void {
  const advice = 'put a new one in its place; it is loaded within seconds';
  if (!existsSync(path)) {
    findings.fail(`${variable}: there is no file ${path}`, 'name the file');
    return;
  }
  const certificate = new X509Certificate(readFileSync(path));
  const days = Math.floor((certificate.validToDate.getTime() - Date.now()) / DAY_MS);
  const ends = certificate.validToDate.toISOString().slice(0, 10);
  if (days < 0) findings.fail(`${variable}: ${path} expired on ${ends}`, advice);
  else if (certificate.validFromDate.getTime() > Date.now())
    findings.fail(`${variable}: ${path} is not valid yet`, advice);
  else if (days <= SOON_DAYS) findings.warn(`${variable}: ${path} expires on ${ends}, in ${days} days`, advice);
  else findings.ok(`${variable}: valid until ${ends}`);
}

function checkPair(certificatePath: string, keyPath: string, findings: Findings): void {
  if (!existsSync(certificatePath) || !existsSync(keyPath)) return;
  const certificate = new X509Certificate(readFileSync(certificatePath));
  if (certificate.checkPrivateKey(createPrivateKey(readFileSync(keyPath)))) return;
  findings.fail(
    `${keyPath} is not the key of ${certificatePath}`,
    'correct ENTREPOT_HTTP_TLS_CERTIFICATE and ENTREPOT_HTTP_TLS_KEY',
  );
}

/** The keys that sign tokens: there is one, and the secret of the settings opens it. */
export async function checkSigningKeys(
  pool: DatabasePool,
  ring: SecretRing | undefined,
  findings: Findings,
): Promise<void> {
  const nowMs = Date.now();
  const keys = (await new PostgresSigningKeys(pool).listSealed()).filter(
    ({ verifiesUntilMs }) => verifiesUntilMs === undefined || verifiesUntilMs > nowMs,
  );
  if (keys.length === 0) {
    findings.warn('no key signs tokens', 'the token issuer makes one when it starts');
    return;
  }
  if (!ring) return;
  const sealer = ringSealer(ring);
  for (const { kid, sealedPrivate } of keys) {
    try {
      sealer.open(sealedPrivate, sealPurpose(kid));
    } catch (error) {
      const advice =
        'put the former secret back: ENTREPOT_SECRETS_KEY=new,former; without it the issuer does not start';
      findings.fail(`the key ${kid} that signs tokens cannot be opened: ${(error as Error).message}`, advice);
    }
  }
  if (findings.all.every(({ outcome }) => outcome === 'ok'))
    findings.ok(`${formatCount(keys.length, 'key')} to sign or verify tokens`);
}
