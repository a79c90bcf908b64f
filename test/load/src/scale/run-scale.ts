import { startS3Server } from '@entrepot/testkit/s3-server';
import { startClient } from '../client/start-client.js';
import { createTokenIssuer } from '../contenders/token-issuer.js';
import { compareWithDistribution } from './against-distribution.js';
import { measureLargeTables } from './large-tables.js';
import { measureProcessCounts } from './process-counts.js';
import { FULL_SCALE, QUICK_SCALE, type ScaleLab, type ScaleTable } from './scale-lab.js';
import { measureUploadMemory } from './upload-memory.js';

const MIB = 1024 * 1024;

/** What is measured, in the order of the tables. */
const SCALE_WORKS = [
  { name: 'processes', title: 'throughput by number of processes, and crowds', measure: measureProcessCounts },
  { name: 'memory', title: 'memory at 64 parallel uploads', measure: measureUploadMemory },
  { name: 'tables', title: 'pages of very many tags and repositories', measure: measureLargeTables },
  { name: 'distribution', title: 'beside distribution on one S3 server', measure: compareWithDistribution },
] as const;

/** What `--list` prints. */
export function listScaleWorks(): string {
  return SCALE_WORKS.map(({ name, title }) => `${name.padEnd(20)} ${title}\n`).join('');
}

export interface ScaleOptions {
  readonly directory: string;
  readonly isQuick: boolean;
  readonly uploadMib?: number;
  readonly isWanted: (name: string) => boolean;
  readonly say: (line: string) => void;
  /** Hears of each table as soon as there is one: the rest may take long. */
  readonly onTable: (table: ScaleTable) => void;
}

/** Measures what several processes, an object store and much data do to the product. */
export async function runScale({ directory, isQuick, uploadMib, isWanted, say, onTable }: ScaleOptions): Promise<void> {
  const size = { ...(isQuick ? QUICK_SCALE : FULL_SCALE), ...(uploadMib && { uploadBytes: uploadMib * MIB }) };
  const client = startClient();
  const s3 = await startS3Server('versitygw');
  const lab: ScaleLab = { directory, size, client, issuer: createTokenIssuer(directory), s3, say };
  try {
    for (const { name, title, measure } of SCALE_WORKS) {
      if (!isWanted(name)) continue;
      say(title);
      for (const table of await measure(lab)) onTable(table);
    }
  } finally {
    client.stop();
    await s3.stop();
  }
}
