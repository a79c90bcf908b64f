import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';

const DEFAULT_SECONDS = 20;

/** How long each fuzzing runs: ENTREPOT_FUZZ_SECONDS. */
export const FUZZ_MS = 1000 * Number(process.env['ENTREPOT_FUZZ_SECONDS'] ?? DEFAULT_SECONDS);

/** Where a run begins: ENTREPOT_FUZZ_SEED repeats one. */
const SEED = Number(process.env['ENTREPOT_FUZZ_SEED'] ?? randomInt(2 ** 31));

/** What a vitest test of one fuzzing may take. */
export const FUZZ_TIMEOUT_MS = FUZZ_MS + 60_000;

/**
 * Sends generated inputs for the time of a fuzzing, several at once, and shrinks the first one that does not hold. The seed is
 * printed, and makes the same inputs again. Resolves with the number of inputs.
 */
export async function fuzz<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  holds: (input: T) => Promise<void>,
): Promise<number> {
  const atOnce = fc.array(inputs, { minLength: 8, maxLength: 8, size: 'max' });
  let sent = 0;
  const property = fc.asyncProperty(atOnce, async (batch) => {
    sent += batch.length;
    await Promise.all(batch.map(holds));
  });
  const bounds = { numRuns: 1_000_000_000, interruptAfterTimeLimit: FUZZ_MS, markInterruptAsFailure: false };
  try {
    await fc.assert(property, { seed: SEED, ...bounds });
    return sent;
  } finally {
    console.log(`fuzzing ${name}: ${sent} inputs in ${FUZZ_MS / 1000} s with ENTREPOT_FUZZ_SEED=${SEED}`);
  }
}
