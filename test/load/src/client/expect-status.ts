import type { Answer } from './parse-answer.js';

/** Throws unless the answer has one of the wanted statuses: a measurement of wrong answers would mean nothing. */
export function expectStatus(answer: Answer, wanted: readonly number[], what: string): Answer {
  if (wanted.includes(answer.status)) return answer;
  const said = answer.body.toString('utf8', 0, 300).trim();
  throw new Error(`${what} was answered ${answer.status} in place of ${wanted.join(' or ')}${said ? `: ${said}` : ''}`);
}
