import type { DataSet } from '../data/data-set.js';
import type { Trial } from '../main-branch/trial.js';

/** A rule of the specification that neither official program asks about. */
export interface Rule {
  readonly name: string;
  readonly clause: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** The trial with one image pushed, for rules that need something to be there. */
export interface Stage {
  readonly trial: Trial;
  readonly set: DataSet;
}
