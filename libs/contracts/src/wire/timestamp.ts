/** `google.protobuf.Timestamp`, as the loader gives and takes it. */
export interface Timestamp {
  /** Since 1970; a 64-bit number as text. */
  readonly seconds: string;
  readonly nanos: number;
}

export function toTimestamp(time: Date): Timestamp {
  const ms = time.getTime();
  const seconds = Math.floor(ms / 1000);
  return { seconds: String(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

export function fromTimestamp({ seconds, nanos }: Timestamp): Date {
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}
