import { formatDuration } from '@entrepot/oci';

/** The schedule of something that is done again after `intervalMs`. */
export function every(intervalMs: number): string {
  return `@every ${formatDuration(intervalMs)}`;
}
