import { Client } from 'pg';
import { startClient } from '../client/start-client.js';
import { measureBesideLoad } from './beside-load.js';
import { explainAll } from './explain-all.js';
import { FULL_GC, QUICK_GC, startCollector, type GcLab, type GcTable } from './gc-lab.js';
import { formatRates, measureRates, type Rates } from './removal-rates.js';

export interface GcOptions {
  readonly directory: string;
  readonly isQuick: boolean;
  readonly peers: GcLab['peers'];
  readonly say: (line: string) => void;
  /** Hears of each table as soon as there is one. */
  readonly onTable: (table: GcTable) => void;
}

/** Measures garbage collection: its pace, what requests notice of it, and what it costs where there is nothing to do. */
export async function runGc({ directory, isQuick, peers, say, onTable }: GcOptions): Promise<void> {
  const client = startClient();
  try {
    await measureAll({ directory, size: isQuick ? QUICK_GC : FULL_GC, client, peers, say }, onTable);
  } finally {
    client.stop();
  }
}

/** Each number of blobs that stay has a database of its own; the last one is put under load as well. */
async function measureAll(lab: GcLab, onTable: GcOptions['onTable']): Promise<void> {
  const rates: Rates[] = [];
  for (const kept of lab.size.kept) {
    lab.say(`${kept.toLocaleString('en')} blobs that stay`);
    const collector = await startCollector(lab, `kept-${kept}`);
    const client = new Client({ connectionString: collector.databaseUrl });
    try {
      await client.connect();
      rates.push(await measureRates(lab, { collector, client, kept }));
      if (kept !== lab.size.kept.at(-1)) continue;
      onTable(formatRates(lab, rates));
      onTable(await measureBesideLoad(lab, collector, client));
      onTable(await explainAll(collector, client));
    } finally {
      await client.end();
      await collector.entrepot.remove();
    }
  }
}
