import { checkPlace, type StepReport } from '@entrepot/blob-store';
import { CommandFailure } from '../exit-codes.js';
import type { SettingsSource } from '../standalone/settings.js';
import { findPlace, readStorageSettings } from './storage-settings.js';

const SIGNS = { ok: 'ok', failed: 'FAILED', skipped: '-' } as const satisfies Record<StepReport['outcome'], string>;

/**
 * Does with the store of new objects what the registry does with it, and shows each step with its time. Throws
 * `CommandFailure` where one failed.
 */
export async function checkStorage(source: SettingsSource, write: (text: string) => void): Promise<void> {
  const settings = readStorageSettings(source);
  const place = await findPlace(settings.storage.driver, settings);
  write(`${place.name}: ${place.where}\n`);
  const failed: string[] = [];
  for await (const report of checkPlace(place)) {
    write(formatStep(report));
    if (report.outcome === 'failed') failed.push(report.step);
  }
  if (failed.length > 0) {
    throw new CommandFailure('unavailable', `the store cannot do what Entrepot needs of it: ${failed.join(', ')}`);
  }
  write('the store does everything that Entrepot needs of it\n');
}

function formatStep({ step, outcome, tookMs, note }: StepReport): string {
  const time = outcome === 'skipped' ? '' : `${tookMs.toFixed(0)} ms`;
  return `  ${step.padEnd(10)} ${SIGNS[outcome].padEnd(7)} ${time.padStart(8)}  ${note}\n`;
}
