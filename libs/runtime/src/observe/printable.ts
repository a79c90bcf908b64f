const DEFAULT_MAX_LENGTH = 256;

/** Controls, line and paragraph separators, format characters (bidi overrides) and lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]/gu;

/** Where a printed JSON line may still hold such characters raw: inside strings only, so that an escape is equal to them. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Cf}]/gu;

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b([Bb]earer|[Bb]asic|BEARER|BASIC)\s+(?=[\w.~+/-]*[A-Z0-9=])[\w.~+/-]{4,}=*/g, '$1 [redacted]'],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '[redacted]'],
  [/\bentrepot_[a-z]+_[\w-]{20,}/g, '[redacted]'],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"']{0,256}:[^\s@"']{1,256}@/gi, '$1[redacted]@'],
  [/([?&]_state=)[^&\s"'\\]+/g, '$1[redacted]'],
];

/** Text that a client chose, made fit for one line of a log: unprintable characters, `"` and `\` escaped, cut at `maxLength`. */
export function printable(text: string, maxLength = DEFAULT_MAX_LENGTH): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return cut.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll(UNPRINTABLE, escapeCharacter);
}

/** A finished JSON log line without raw unprintable characters and without credentials that got into a message or a stack. */
export function scrubLine(line: string): string {
  return `${redactCredentials(line.trimEnd()).replaceAll(UNPRINTABLE_IN_JSON, escapeCharacter)}\n`;
}

/** The text without bearer and basic credentials, tokens, passwords in URLs and upload state. */
export function redactCredentials(text: string): string {
  let redacted = text;
  for (const [pattern, replacement] of SECRETS) redacted = redacted.replaceAll(pattern, replacement);
  return redacted;
}

function escapeCharacter(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
