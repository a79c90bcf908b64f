import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { proportionalSetBytes } from '../machine/process-tree.js';
import type { Lab, Subject, Workload } from './workload.js';

const SETTLE_MS = 3_000;
const MIB = 1024 * 1024;

/** Time to the first answer, over an empty directory and over one that was used before. */
export function readyTimes(): readonly Workload[] {
  return [
    {
      ...readyTime('ready-first', 'ready, first start'),
      measure: (subject, lab) => launchAndStop(subject, lab, join(lab.directory, `first-start-${randomUUID()}`)),
    },
    {
      ...readyTime('ready-again', 'ready, later start'),
      prepare: async (subject, lab) => {
        await launchAndStop(subject, lab, usedDirectory(subject, lab));
      },
      measure: (subject, lab) => launchAndStop(subject, lab, usedDirectory(subject, lab)),
    },
  ];
}

/** Memory of all processes of a contender after a rest: fresh from the start, and after the other work. */
export function idleMemory(when: 'fresh' | 'worked'): Workload {
  return {
    name: `memory-${when}`,
    title: when === 'fresh' ? 'idle memory (PSS), fresh' : 'idle memory (PSS), after the work',
    unit: 'MiB',
    skipsWarmUp: true,
    atMostRepetitions: 1,
    goal: { atMost: 600 },
    measure: async ({ instance }) => {
      await delay(SETTLE_MS);
      return proportionalSetBytes(instance.process.pids()) / MIB;
    },
  };
}

function readyTime(name: string, title: string) {
  return {
    name,
    title,
    unit: 'ms',
    skipsWarmUp: true,
    atMostRepetitions: 3,
  } as const;
}

function usedDirectory({ contender }: Subject, { directory }: Lab): string {
  return join(directory, `later-start-${contender.name}`);
}

async function launchAndStop({ contender }: Subject, { issuer }: Lab, directory: string): Promise<number> {
  mkdirSync(directory, { recursive: true });
  const instance = await contender.launch({ directory, issuer });
  await instance.process.stop();
  return instance.process.readyMs;
}
