/** Query parameters in the order of their names; a list sends its name once for each value. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

/** The URL of a repository's endpoint: `target(registry, 'a/b', 'tags/list')` is `…/v2/a/b/tags/list`. */
export function target(registry: URL, repository: string, endpoint: string): URL {
  return new URL(`/v2/${repository}/${endpoint}`, registry);
}

/**
 * The URL with the parameters set, the rest of its query kept. The whole query is decoded, sorted and encoded anew,
 * as the official runner does with the query of a Location: state in it must survive that.
 */
export function withQuery(url: URL, query: Query): URL {
  const parameters = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(query)) {
    parameters.delete(name);
    for (const item of typeof value === 'string' ? [value] : value) parameters.append(name, item);
  }
  parameters.sort();
  const pairs = [...parameters].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const changed = new URL(url);
  changed.search = pairs.join('&');
  return changed;
}

/** Percent-encodes all but unreserved characters, with `+` for a space, as Go's url.Values does. */
function encode(text: string): string {
  const escaped = encodeURIComponent(text).replaceAll('%20', '+');
  return escaped.replaceAll(/[!'()*]/g, (character) => `%${character.codePointAt(0)?.toString(16).toUpperCase()}`);
}
