import { alignColumns } from './align-columns.js';
import type { ContenderName } from './contenders/contender.js';
import type { Outcome, WorkloadResult } from './run-bench.js';
import { advantage, median, spread } from './statistics.js';
import { BETTER, type Workload } from './workloads/workload.js';

const OURS: ContenderName = 'entrepot';

/**
 * The table: for each work the median of each contender with its spread, how many times as good Entrepot is as each
 * peer, and what became of the goal. A contender that took no part has a dash, one that failed says so.
 */
export function formatTable(results: readonly WorkloadResult[], names: readonly ContenderName[]): string {
  const peers = names.includes(OURS) ? names.filter((name) => name !== OURS) : [];
  const head = ['work', 'unit', ...names, ...peers.map((peer) => `vs ${peer}`), ...(peers.length > 0 ? ['goal'] : [])];
  const rows = results.map((result) => [
    result.workload.title,
    result.workload.unit,
    ...names.map((name) => formatOutcome(result.outcomes.get(name))),
    ...peers.map((peer) => formatAdvantage(advantageOver(result, peer))),
    ...(peers.length > 0 ? [formatGoal(result, peers)] : []),
  ]);
  return alignColumns([head, ...rows]);
}

/** Everything that was measured, as JSON: samples and medians by work and contender. */
export function toJson(results: readonly WorkloadResult[]): readonly object[] {
  return results.map(({ workload, outcomes }) => ({
    name: workload.name,
    title: workload.title,
    unit: workload.unit,
    better: BETTER[workload.unit],
    ...(workload.goal && { goal: workload.goal }),
    contenders: Object.fromEntries(
      [...outcomes].map(([name, outcome]) => [
        name,
        'samples' in outcome ? { median: median(outcome.samples), samples: outcome.samples } : outcome,
      ]),
    ),
  }));
}

function formatOutcome(outcome: Outcome | undefined): string {
  if (outcome === undefined) return '-';
  if ('failure' in outcome) return 'failed';
  const { samples } = outcome;
  return samples.length === 1
    ? formatNumber(median(samples))
    : `${formatNumber(median(samples))} ±${Math.round(spread(samples) * 100)}%`;
}

/** Three figures, and no decimals from a hundred on. */
export function formatNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function formatAdvantage(ratio: number | undefined): string {
  return ratio === undefined ? '-' : `${ratio.toFixed(2)}x`;
}

function medianOf(outcome: Outcome | undefined): number | undefined {
  return outcome && 'samples' in outcome ? median(outcome.samples) : undefined;
}

function advantageOver({ workload, outcomes }: WorkloadResult, peer: ContenderName): number | undefined {
  const [ours, theirs] = [medianOf(outcomes.get(OURS)), medianOf(outcomes.get(peer))];
  return ours === undefined || theirs === undefined ? undefined : advantage(ours, theirs, BETTER[workload.unit]);
}

function formatGoal(result: WorkloadResult, peers: readonly ContenderName[]): string {
  const { goal, unit } = result.workload;
  if (goal === undefined) return '';
  const isMet = meetsGoal(result, goal, peers);
  const verdict = isMet === undefined ? 'not measured' : isMet ? 'met' : 'MISSED';
  return 'atMost' in goal ? `at most ${goal.atMost} ${unit}: ${verdict}` : `${goal.atLeast}x ${goal.over}: ${verdict}`;
}

function meetsGoal(
  result: WorkloadResult,
  goal: NonNullable<Workload['goal']>,
  peers: readonly ContenderName[],
): boolean | undefined {
  if ('atMost' in goal) {
    const ours = medianOf(result.outcomes.get(OURS));
    return ours === undefined ? undefined : ours <= goal.atMost;
  }
  const measured = (goal.over === 'every peer' ? peers : [goal.over])
    .map((peer) => advantageOver(result, peer))
    .filter((ratio) => ratio !== undefined);
  return measured.length === 0 ? undefined : measured.every((ratio) => ratio >= goal.atLeast);
}
