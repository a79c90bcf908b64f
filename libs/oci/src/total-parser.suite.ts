import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RegistryError } from './errors.js';

const codeUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
  .map((units) => String.fromCharCode(...units));
const marks = fc.string({ unit: fc.constantFrom(...'aZ09/_-.:%?#*=,&()[]{}" \\\0'), maxLength: 400 });

/** What every parser of client input passes: whatever the text, it answers or refuses with a client error. */
export function itIsTotal(parse: (text: string) => unknown, texts: fc.Arbitrary<string> = fc.constant('')): void {
  it('answers any text, or refuses it with a client error', () => {
    fc.assert(
      fc.property(fc.oneof(codeUnits, marks, texts), (text) => {
        const refusal = refusalOf(() => parse(text));
        expect(refusal === undefined || (refusal instanceof RegistryError && refusal.status < 500)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
}

/** What a call throws; undefined if it returns. */
export function refusalOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
