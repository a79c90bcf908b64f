import type { ObjectRecord } from '@entrepot/content';

/** Reads a sidecar. Undefined for one that a crash left torn: the object was then never acknowledged. */
export function parseRecord(text: string): ObjectRecord | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ObjectRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { digest, sizeBytes, createdAt } = value as Partial<Record<keyof ObjectRecord, unknown>>;
  return typeof digest === 'string' && typeof sizeBytes === 'number' && typeof createdAt === 'string';
}
