/** Kinds that an installation has, by name, and what each does. */
export const KINDS = {
  review: 'removes what nothing needs any more: repositories, manifests, links, blobs, objects',
  sweep: 'finds objects that no row knows, and rows whose object is missing',
  'purge-uploads': 'ends uploads that nobody finishes',
  scrub: 'reads objects again and compares them with their digests',
  fold: 'adds up usage and the use of manifests',
} as const satisfies Readonly<Record<string, string>>;

export type KindName = keyof typeof KINDS;

export function isKindName(text: string): text is KindName {
  return Object.hasOwn(KINDS, text);
}
