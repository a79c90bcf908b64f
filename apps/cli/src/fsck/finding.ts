import type { Digest } from '@entrepot/oci';

/** One difference, as `fsck` prints it. */
export interface Finding {
  readonly kind: string;
  readonly digest?: Digest;
  /** Of the object in its store. */
  readonly key?: string;
  /** Some of those that are concerned, by name. */
  readonly repositories: readonly string[];
  readonly repaired: boolean;
  readonly note: string;
}

/** One line for people: what, where, and in words. */
export function formatFinding({ kind, digest, key, repositories, repaired, note }: Finding): string {
  const parts = [
    repaired ? 'repaired' : 'found',
    kind,
    ...(digest === undefined ? [] : [digest]),
    ...(key === undefined ? [] : [`key=${key}`]),
    ...(repositories.length === 0 ? [] : [`repositories=${repositories.join(',')}`]),
  ];
  return `${parts.join(' ')}: ${note}\n`;
}
