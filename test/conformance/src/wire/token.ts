import type { Exchange, WireReply } from './exchange.js';
import { withQuery } from './target.js';

/** What the runner signs in with; both empty means anonymous. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: ReadonlyMap<string, string>;
}

/** How the official programs turn a challenge into credentials; the two suites differ only in the field they prefer. */
export interface TokenHabits {
  readonly credentials: Credentials;
  readonly preferredField: 'access_token' | 'token';
}

/**
 * The Authorization header that answers the challenge of a 401, obtained from the realm when it asks for a token.
 * Rejects when the challenge cannot be read or the realm does not give a token.
 */
export async function authorize(exchange: Exchange, refused: WireReply, habits: TokenHabits): Promise<string> {
  const challenge = readChallenge(refused);
  // Sent even when both are empty: `Basic Og==` is how an anonymous run asks for a token.
  const { username, password } = habits.credentials;
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  if (challenge.scheme === 'basic') return basic;
  const scope = challenge.parameters.get('scope');
  const query = { service: challenge.parameters.get('service') ?? '', ...(scope === undefined ? {} : { scope }) };
  const realm = new URL(challenge.parameters.get('realm') ?? '', refused.url);
  // The scope list of the challenge stays one value, spaces and all.
  const url = withQuery(new URL(realm.pathname, realm), query);
  const reply = await exchange({ method: 'GET', url, headers: { Accept: 'application/json', Authorization: basic } });
  if (reply.status !== 200) throw new Error(`the token realm ${url.pathname} answered ${reply.status}`);
  return `Bearer ${readToken(reply, habits.preferredField)}`;
}

/** Only the first challenge line counts, and in it the last of the words "bearer" and "basic", wherever it stands. */
function readChallenge(refused: WireReply): Challenge {
  const line = refused.headers['www-authenticate']?.[0] ?? '';
  const scheme = [...line.matchAll(/bearer|basic/gi)].at(-1)?.[0].toLowerCase();
  if (scheme !== 'bearer' && scheme !== 'basic') {
    throw new Error(`401 without a usable WWW-Authenticate: ${JSON.stringify(line)}`);
  }
  const pairs = [...line.matchAll(/([a-z_]+)="(.+?)"/gi)];
  const parameters = new Map(pairs.map((pair) => [pair[1]?.toLowerCase() ?? '', pair[2] ?? ''] as const));
  return { scheme, parameters };
}

function readToken(reply: WireReply, preferredField: TokenHabits['preferredField']): string {
  const answer = JSON.parse(reply.body.toString()) as Readonly<Record<string, unknown>>;
  const otherField = preferredField === 'token' ? 'access_token' : 'token';
  const token = answer[preferredField] ?? answer[otherField];
  if (typeof token !== 'string' || token === '') throw new Error('the token realm answered without a token');
  return token;
}
