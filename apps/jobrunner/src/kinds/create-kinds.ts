import type { ScheduledKind } from '@entrepot/jobs';
import { foldKind } from './fold.js';
import type { KindRoom } from './kind-room.js';
import { purgeUploadsKind } from './purge-uploads.js';
import { reviewKind } from './review.js';
import { scrubKind } from './scrub.js';
import { sweepKind } from './sweep.js';

/** All work that a jobrunner does, each with its default schedule. A new kind is a file here and a line below. */
export function createKinds(room: KindRoom): readonly ScheduledKind[] {
  return [reviewKind(room), purgeUploadsKind(room), sweepKind(room), scrubKind(room), foldKind(room)];
}
