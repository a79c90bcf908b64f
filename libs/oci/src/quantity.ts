const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const QUANTITY = /^(\d{1,12})([A-Za-z]{1,3})$/;

/** Milliseconds of a duration such as `250ms`, `15s`, `5m`, `2h`, `7d` or `0s`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, MS_PER_UNIT);
}

/** Bytes of a size such as `512B`, `64KiB`, `4MiB` or `1GiB`; undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  return parseQuantity(text, BYTES_PER_UNIT);
}

/** A duration as `parseDuration` reads it, in the largest unit that says it exactly: 90000 is `90s`, 3600000 is `1h`. */
export function formatDuration(ms: number): string {
  return ms === 0 ? '0s' : formatQuantity(ms, MS_PER_UNIT);
}

/** A size as `parseByteSize` reads it, in the largest unit that says it exactly: 4194304 is `4MiB`. */
export function formatByteSize(bytes: number): string {
  return formatQuantity(bytes, BYTES_PER_UNIT);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, count, unit] = QUANTITY.exec(text.trim()) ?? [];
  const value = Number(count) * (units[unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatQuantity(value: number, units: Readonly<Record<string, number>>): string {
  const fits = Object.entries(units).filter(([, size]) => size === 1 || (value >= size && value % size === 0));
  const [unit, size] = fits.at(-1) ?? ['', 1];
  return `${value / size}${unit}`;
}
