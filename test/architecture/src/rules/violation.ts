/** One breach of the architecture. */
export interface Violation {
  readonly rule: string;
  /** From the top of the workspace, perhaps with a line: `libs/oci/src/digest.ts:3`. */
  readonly place: string;
  readonly message: string;
}

/** `arrow: libs/oci/src/digest.ts:3 imports libs/content` */
export function formatViolation({ rule, place, message }: Violation): string {
  return `${rule}: ${place} ${message}`;
}
