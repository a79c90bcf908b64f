import type { Client } from 'pg';
import { plantGarbage } from './content-rows.js';
import { explainPass } from './explain-pass.js';
import type { Collector, GcTable } from './gc-lab.js';

/** Enough for every statement to be sent. */
const GARBAGE = { label: 'garbage-explained', blobs: 500 };

/** How the tables are read by which statement of a pass, and whether one of them reads much. */
export async function explainAll({ databaseUrl, storageRoot }: Collector, client: Client): Promise<GcTable> {
  await plantGarbage(client, storageRoot, GARBAGE);
  const statements = await explainPass(databaseUrl);
  const scans = statements.filter(({ scanned }) => scanned.length > 0);
  const verdict =
    scans.length === 0
      ? `none of ${statements.length} statements reads a big table from end to end`
      : `${scans.length} of ${statements.length} statements READ A BIG TABLE from end to end`;
  const lines = statements.map(({ name, steps, scanned }) => {
    const mark = scanned.length > 0 ? `  SCANS ${scanned.join(', ')}` : '';
    return [`${name}${mark}`, ...steps.map((step) => `    ${step}`)].join('\n');
  });
  return { title: `Plans of a pass: ${verdict}`, text: lines.join('\n') };
}
