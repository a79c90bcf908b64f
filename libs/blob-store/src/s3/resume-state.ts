/** Parts of a multipart upload that are durable. */
export interface SavedParts {
  /** Of the name that they become an object under. */
  readonly nonce: string;
  readonly uploadId: string;
  /** First and last of each run of part numbers, ascending. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly sizeBytes: number;
  /** Digest over numbers and ETags: parts that are not these were put there by another writer. */
  readonly etags: string;
}

/** What a writer of an S3 store leaves for the next one. */
export interface ResumeState {
  readonly parts?: SavedParts;
  /** Pieces of the part that comes after them, which is gathered in an object of its own. */
  readonly pieces?: SavedParts;
  /** An object with the bytes after these: the beginning of a part, or, without any parts, all there is. */
  readonly rest?: { readonly nonce: string; readonly sizeBytes: number };
  /** The rest that the former state spoke of: nobody needs it once this state was noted. */
  readonly staleNonce?: string;
}

const VERSION = 1;

export function encodeResume(state: ResumeState): string {
  return JSON.stringify({ version: VERSION, ...state });
}

/** Undefined for a text that `encodeResume` did not make. */
export function decodeResume(text: string): ResumeState | undefined {
  const { version, ...state } = parseObject(text);
  return version === VERSION ? state : undefined;
}

/** Bytes that the state vouches for. */
export function resumedBytes({ parts, pieces, rest }: ResumeState): number {
  return (parts?.sizeBytes ?? 0) + (pieces?.sizeBytes ?? 0) + (rest?.sizeBytes ?? 0);
}

function parseObject(text: string): { version?: unknown } & ResumeState {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
