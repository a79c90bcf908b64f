import { blobTransfers } from './blob-transfers.js';
import { idleMemory, readyTimes } from './footprint.js';
import { manifestReads } from './manifest-reads.js';
import { smallPushes } from './small-pushes.js';
import { tagPages } from './tag-pages.js';
import type { Size, Workload } from './workload.js';

/** Everything that is measured, in the order of the table; memory is looked at before anything and after everything. */
export function allWorkloads(size: Size): readonly Workload[] {
  return [
    idleMemory('fresh'),
    ...manifestReads(),
    ...blobTransfers(),
    ...smallPushes(),
    ...tagPages(size),
    ...readyTimes(),
    idleMemory('worked'),
  ];
}
