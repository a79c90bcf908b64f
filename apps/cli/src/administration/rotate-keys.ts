import { rotateSigningKey, type SuccessorKey } from '@entrepot/access';
import { PostgresSigningKeys, createPool, detectPooler } from '@entrepot/metadata';
import { ringSealer, type SecretRing } from '@entrepot/runtime';
import { ownerSettings } from './open-administration.js';

/** Rotates the signing key now. Resolves with its successor; undefined where one waits for its time already. */
export async function rotateKeys(
  databaseUrl: string,
  { ring, rotationMs }: { readonly ring: SecretRing; readonly rotationMs: number },
): Promise<SuccessorKey | undefined> {
  const pooler = await detectPooler(databaseUrl);
  const pool = createPool({ ...ownerSettings(databaseUrl), poolSize: 1, pooler });
  try {
    return await rotateSigningKey(new PostgresSigningKeys(pool), {
      sealer: ringSealer(ring),
      nowMs: Date.now(),
      rotationMs,
      isForced: true,
    });
  } finally {
    await pool.end();
  }
}
