/** Keeps a text secret at rest. `purpose` is bound in: what was sealed for another purpose does not open. */
export interface Sealer {
  seal(plaintext: string, purpose: string): string;
  /** @throws Error where the secret is unknown or the value was changed. */
  open(sealed: string, purpose: string): string;
  /** False where another secret made it than the one that seals now; it should be sealed again while both are known. */
  isCurrent(sealed: string): boolean;
}
