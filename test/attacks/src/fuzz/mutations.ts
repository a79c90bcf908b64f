import * as fc from 'fast-check';

/** One change to a text of bytes: some are cut out, and others put in their place. */
interface Mutation {
  /** Where, as a share of the length. */
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

const mutation = (fragments: readonly string[]): fc.Arbitrary<Mutation> =>
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.integer({ min: 0, max: 8 }),
    inserted: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...fragments) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
    ),
  });

/** Texts of the corpus with up to six changes; the fragments are what is likely to matter there. */
export function mutated(corpus: readonly string[], fragments: readonly string[]): fc.Arbitrary<string> {
  const changes = fc.array(mutation(fragments), { maxLength: 6 });
  return fc.tuple(fc.constantFrom(...corpus), changes).map(([text, mutations]) => mutations.reduce(apply, text));
}

function apply(text: string, { at, removed, inserted }: Mutation): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + inserted + text.slice(start + removed);
}
