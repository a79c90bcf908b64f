import type { MigrationTally } from '@entrepot/content';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** How far a migration is: what `--json` prints, one object per line. */
export interface MigrationProgress {
  readonly movedBlobs: number;
  readonly movedBytes: number;
  readonly overtakenBlobs: number;
  readonly failedBlobs: number;
  /** All that were found in other stores at the start. */
  readonly totalBlobs: number;
  readonly totalBytes: number;
  /** On average since the start. */
  readonly bytesPerSecond: number;
  /** Undefined while nothing was copied. */
  readonly secondsLeft: number | undefined;
}

export function progressOf(
  tally: MigrationTally,
  total: { readonly blobs: number; readonly sizeBytes: number },
  elapsedMs: number,
): MigrationProgress {
  const { movedBlobs, movedBytes, overtakenBlobs, failedBlobs, copiedBytes } = tally;
  const bytesPerSecond = elapsedMs > 0 ? (copiedBytes / elapsedMs) * 1000 : 0;
  const leftBytes = Math.max(0, total.sizeBytes - copiedBytes);
  return {
    movedBlobs,
    movedBytes,
    overtakenBlobs,
    failedBlobs,
    totalBlobs: total.blobs,
    totalBytes: total.sizeBytes,
    bytesPerSecond: Math.round(bytesPerSecond),
    secondsLeft: bytesPerSecond > 0 ? Math.ceil(leftBytes / bytesPerSecond) : undefined,
  };
}

/** One line for people. */
export function formatProgress(progress: MigrationProgress): string {
  const { movedBlobs, totalBlobs, movedBytes, totalBytes, bytesPerSecond, secondsLeft, failedBlobs } = progress;
  const parts = [
    `${movedBlobs} of ${formatCount(totalBlobs, 'blob')}`,
    `${formatBytes(movedBytes)} of ${formatBytes(totalBytes)}`,
    `${formatBytes(bytesPerSecond)}/s`,
    ...(secondsLeft === undefined ? [] : [`${formatSeconds(secondsLeft)} left`]),
    ...(failedBlobs === 0 ? [] : [`${failedBlobs} failed`]),
  ];
  return `${parts.join(', ')}\n`;
}

/** `1` → `1 blob`. */
export function formatCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** `1536` → `1.5 KiB`. */
export function formatBytes(sizeBytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(sizeBytes, 1)) / 10), UNITS.length - 1);
  const value = sizeBytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

/** `4000` → `1 h 7 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
