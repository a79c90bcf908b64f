/** How one assertion ended; a skip means that the registry says, in a way the specification allows, that it does not do this. */
export type Outcome = 'pass' | 'fail' | 'skip';

/** The registry broke a rule: the assertion fails. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

/** The registry declined an optional feature, or a step has nothing to look at: the assertion is skipped. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

/** Runs all parts and joins what they complain of; a Mismatch outweighs an Unsupported. */
export function throwAll(complaints: readonly Error[]): void {
  if (complaints.length === 0) return;
  const text = complaints.map((complaint) => complaint.message).join('; ');
  throw complaints.some((complaint) => !(complaint instanceof Unsupported))
    ? new Mismatch(text)
    : new Unsupported(text);
}
