import { describe, expect, it } from 'vitest';
import type { ContenderName } from './contenders/contender.js';
import { formatNumber, formatTable, toJson } from './report.js';
import type { Outcome, WorkloadResult } from './run-bench.js';
import type { Workload } from './workloads/workload.js';

const names: readonly ContenderName[] = ['entrepot', 'distribution', 'nginx'];

function result(workload: Partial<Workload>, outcomes: Partial<Record<ContenderName, Outcome>>): WorkloadResult {
  return {
    workload: { name: 'w', title: 'some work', unit: '1/s', measure: async () => 0, ...workload },
    outcomes: new Map(Object.entries(outcomes) as [ContenderName, Outcome][]),
  };
}

describe('formatTable', () => {
  it('gives medians with their spread, ratios and whether the goal was met', () => {
    const table = formatTable(
      [
        result(
          { goal: { over: 'distribution', atLeast: 3 } },
          { entrepot: { samples: [900, 1000, 1100] }, distribution: { samples: [200, 200] } },
        ),
      ],
      names,
    );
    expect(table.split('\n')).toEqual([
      'work       unit   entrepot  distribution  nginx  vs distribution  vs nginx  goal',
      'some work  1/s   1000 ±10%       200 ±0%      -            5.00x         -  3x distribution: met',
    ]);
  });

  it('turns the ratio around where less is better, and holds every peer against us', () => {
    const goal = { over: 'every peer', atLeast: 1 } as const;
    const outcomes = { entrepot: { samples: [20] }, distribution: { samples: [10] }, nginx: { samples: [40] } };
    const row = formatTable([result({ unit: 'ms', goal }, outcomes)], names).split('\n')[1];
    expect(row).toMatch(/0\.50x\s+2\.00x\s+1x every peer: MISSED$/);
  });

  it('names what failed and what was not measured', () => {
    const outcomes = { entrepot: { failure: 'answered 500' }, distribution: { samples: [10] } };
    const row = formatTable([result({ goal: { atMost: 600 } }, outcomes)], names).split('\n')[1];
    expect(row).toMatch(/failed\s+10\.0\s+-\s+-\s+-\s+at most 600 1\/s: not measured$/);
  });

  it('shows peers alone without ratios and goals', () => {
    const alone = formatTable([result({ goal: { atMost: 600 } }, { nginx: { samples: [10] } })], ['nginx']);
    expect(alone).toBe('work       unit  nginx\nsome work  1/s    10.0');
  });
});

describe('toJson', () => {
  it('keeps every sample and every failure', () => {
    const outcomes = { entrepot: { samples: [3, 1, 2] }, distribution: { failure: 'answered 500' } };
    expect(toJson([result({ unit: 'ms' }, outcomes)])).toEqual([
      {
        name: 'w',
        title: 'some work',
        unit: 'ms',
        better: 'lower',
        contenders: { entrepot: { median: 2, samples: [3, 1, 2] }, distribution: { failure: 'answered 500' } },
      },
    ]);
  });
});

describe('formatNumber', () => {
  it('shows three figures and no more', () => {
    expect([0.97312, 8.7234, 42.04, 123.4, 40712.3].map(formatNumber)).toEqual([
      '0.973',
      '8.72',
      '42.0',
      '123',
      '40712',
    ]);
  });
});
