import { Cron } from 'croner';

/** Fields and words of a cron expression; croner itself would take dates too. */
const FIELDS = /^[\d*,/\-?#+A-Za-z]+(\s+[\d*,/\-?#+A-Za-z]+){4,5}$/;
const WORDS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/** Reads five or six fields (seconds first), or a word such as `@daily`, in UTC; undefined where the text is neither. */
export function parseCron(text: string): ((afterMs: number) => number | undefined) | undefined {
  const isWord = WORDS.has(text.toLowerCase());
  if (!isWord && !FIELDS.test(text)) return undefined;
  try {
    // A job without a function is never run; it only answers when it would be.
    const cron = new Cron(text, { timezone: 'UTC', ...(isWord ? {} : { mode: '5-or-6-parts' }) });
    return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
  } catch {
    return undefined;
  }
}
