/** One JSON log line for a terminal: `12:00:00 warn registry: message key=value`, with a stack below. Other text passes unchanged. */
export function prettyLine(line: string): string {
  const entry = parseEntry(line);
  if (entry === undefined) return line;
  const { time, level, service, msg, err, ...fields } = entry;
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  const details = Object.entries(fields).map(([key, value]) => ` ${key}=${escapeControls(JSON.stringify(value))}`);
  const head = `${clock} ${String(level).padEnd(5)} ${String(service)}: ${escapeControls(String(msg ?? ''))}${details.join('')}\n`;
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? String(err.stack) : undefined;
  const indented = stack?.split('\n').map((part) => `    ${escapeControls(part)}\n`);
  return head + (indented?.join('') ?? '');
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}

/** Parsing brought the escaped characters back; a terminal must not act on them. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu, (character) => JSON.stringify(character).slice(1, -1));
}
