import { inspect } from 'node:util';

const MASK = '[redacted]';

/** A value that prints as `[redacted]` wherever it is formatted; only `reveal()` gives the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** Secrets in use at the same time while one is being replaced: the first makes, all verify. */
export type SecretRing = readonly [Secret, ...Secret[]];
