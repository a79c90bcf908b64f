const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** S3 numbers the parts of an object from 1 to this. */
const MAX_PART_NUMBER = 10_000;

/** The least that S3 takes for a part which is not the last of its object, and the most. */
export const MIN_PART_BYTES = 5 * MIB;
export const MAX_PART_BYTES = 5 * GIB;

/** A part as it is planned. */
export interface PlannedPart {
  readonly sizeBytes: number;
  /** Size of the pieces that it is joined from, where it is larger than what is held in memory. */
  readonly pieceBytes?: number;
}

/** So many parts of a size, one step after the other. */
export type PartPlan = readonly (PlannedPart & { readonly count: number })[];

/**
 * Parts grow with the object: small blobs cost little memory, and 5 TiB fit in 10,000 parts, with 390 GiB of numbers to
 * spare. Below 397 GiB no byte is sent or copied twice. Beyond, where parts of 64 MiB would not do, each further 5 GiB are
 * gathered in an object of their own, which the store copies into one part.
 */
export const PART_PLAN: PartPlan = [
  { count: 1000, sizeBytes: 8 * MIB },
  { count: 1000, sizeBytes: 16 * MIB },
  { count: 2000, sizeBytes: 32 * MIB },
  { count: 4976, sizeBytes: 64 * MIB },
  { count: 1024, sizeBytes: 5 * GIB, pieceBytes: 64 * MIB },
];

/** The part of that number; undefined where there are no further numbers. */
export function plannedPart(plan: PartPlan, number: number): PlannedPart | undefined {
  let last = 0;
  for (const step of plan) {
    last += step.count;
    if (number <= Math.min(last, MAX_PART_NUMBER)) return step;
  }
  return undefined;
}
