import { parseDigest, parseRepositoryName, parseTag, type Digest, type RepositoryName, type Tag } from '@entrepot/oci';
import { InvalidArgumentError } from 'commander';

export interface TagReference {
  readonly repository: RepositoryName;
  readonly tag: Tag;
}

export interface DigestReference {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** `acme/app:v1` */
export function readTagReference(text: string): TagReference {
  const { repository, tag } = readHistoryReference(text);
  if (tag === undefined) throw new InvalidArgumentError('It must name a tag, such as acme/app:v1.');
  return { repository, tag };
}

/** `acme/app:v1`, or `acme/app` for all its tags. */
export function readHistoryReference(text: string): { repository: RepositoryName; tag?: Tag } {
  const colon = text.indexOf(':');
  return understood('It must be such as acme/app:v1.', () => {
    if (colon < 0) return { repository: parseRepositoryName(text) };
    return { repository: parseRepositoryName(text.slice(0, colon)), tag: parseTag(text.slice(colon + 1)) };
  });
}

/** `acme/app@sha256:…` */
export function readDigestReference(text: string): DigestReference {
  const at = text.indexOf('@');
  return understood('It must be such as acme/app@sha256:… with the whole digest.', () => ({
    repository: parseRepositoryName(text.slice(0, Math.max(at, 0))),
    digest: parseDigest(text.slice(at + 1)),
  }));
}

export function readDigest(text: string): Digest {
  return understood('It must be a whole digest, such as sha256:….', () => parseDigest(text));
}

/** A time as `tag history` prints it. */
export function readTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('It must be a time such as 2026-01-31T18:00:00Z.');
  return time;
}

export function readCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
  return Number(text);
}

/** Id of a row that counts up. */
export function readChangeId(text: string): string {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError("It must be an id that 'tag history' printed.");
  return text;
}

export function readId(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new InvalidArgumentError("It must be an id that 'repo list --deleted' printed.");
}

function understood<T>(expected: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(`${expected} (${error instanceof Error ? error.message : String(error)})`);
  }
}
