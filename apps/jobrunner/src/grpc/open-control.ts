import type { JobRecords } from '@entrepot/jobs';
import type { Logger, SectionValues } from '@entrepot/runtime';
import type { grpcSection } from './grpc-section.js';

export interface ControlRoom {
  readonly records: JobRecords;
  /** Tells workers that something changed. */
  readonly ring: () => void;
  readonly logger: Logger;
}

/** Lets other services control jobs, where the settings name a port; what that takes is not loaded elsewhere. */
export async function openControl(
  config: SectionValues<typeof grpcSection>,
  { records, ring, logger }: ControlRoom,
): Promise<{ close(): Promise<void> } | undefined> {
  if (config.port === undefined) return undefined;
  const [{ JobsDesk }, { serveJobs }] = await Promise.all([import('./jobs.controller.js'), import('./serve-jobs.js')]);
  return serveJobs(config, new JobsDesk(records, ring), logger);
}
