import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender, ContenderName } from './contenders/contender.js';
import type { Lab, Subject, Workload } from './workloads/workload.js';

/** What one contender did at one work: a sample per repetition, or why there is none. */
export type Outcome = { readonly samples: readonly number[] } | { readonly failure: string };

export interface WorkloadResult {
  readonly workload: Workload;
  readonly outcomes: ReadonlyMap<ContenderName, Outcome>;
}

/** Starts one instance of each contender, each in its own directory, and gives those that came up. */
export async function launchAll(contenders: readonly Contender[], lab: Lab, say: Say): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const contender of contenders) {
    const directory = join(lab.directory, contender.name);
    mkdirSync(directory);
    try {
      const bucket = await lab.newBucket?.();
      const place = { directory, issuer: lab.issuer, ...(bucket && { bucket }) };
      subjects.push({ contender, instance: await contender.launch(place) });
    } catch (cause) {
      say(`${contender.name} does not start: ${(cause as Error).message}`);
    }
  }
  return subjects;
}

export type Say = (line: string) => void;

/**
 * Does one work to all who can take part: in each repetition each of them in turn, beginning with another each time,
 * so that what the machine does meanwhile falls on all alike. A failure ends the work for that contender only.
 */
export async function runWorkload(workload: Workload, subjects: readonly Subject[], lab: Lab): Promise<WorkloadResult> {
  const outcomes = new Map<ContenderName, Outcome>();
  const fit = subjects.filter(({ contender }) => contender.isRegistry || workload.isForFileServers);
  const guarded = async (subject: Subject, act: () => Promise<void>): Promise<void> => {
    const { name } = subject.contender;
    if ('failure' in (outcomes.get(name) ?? {})) return;
    await act().catch((cause: unknown) => outcomes.set(name, { failure: (cause as Error).message }));
  };
  for (const subject of fit) await guarded(subject, async () => workload.prepare?.(subject, lab));
  const counted = Math.min(lab.size.repetitions, workload.atMostRepetitions ?? Infinity);
  for (let repetition = workload.skipsWarmUp ? 0 : -1; repetition < counted; repetition++) {
    for (const subject of rotate(fit, repetition)) {
      await guarded(subject, async () => {
        const sample = await workload.measure(subject, lab);
        if (repetition >= 0) record(outcomes, subject.contender.name, sample);
      });
    }
  }
  return { workload, outcomes };
}

function record(outcomes: Map<ContenderName, Outcome>, name: ContenderName, sample: number): void {
  const before = outcomes.get(name);
  const samples = before && 'samples' in before ? before.samples : [];
  outcomes.set(name, { samples: [...samples, sample] });
}

function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const start = items.length === 0 ? 0 : (by + items.length) % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
