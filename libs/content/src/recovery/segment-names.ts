import { isRecoveryName, type RecoveryName } from '../ports/recovery-log.js';

/**
 * `segment`: changes; `more`: changes that are consistent only with those of the next segment; `part`: of a snapshot, which
 * counts once its `snapshot` is there.
 */
export type DocumentKind = 'segment' | 'more' | 'part' | 'snapshot';

/** What a name says. */
export interface NamedDocument {
  readonly name: RecoveryName;
  readonly number: number;
  readonly kind: DocumentKind;
}

export function segmentName(number: number, hasMore: boolean): RecoveryName {
  return nameOf(number, hasMore ? '-more' : '');
}

export function partName(number: number, part: number): RecoveryName {
  return nameOf(number, `-part-${String(part).padStart(6, '0')}`);
}

export function snapshotName(number: number): RecoveryName {
  return nameOf(number, '-snapshot');
}

export function describeName(name: RecoveryName): NamedDocument {
  const [, kind = 'segment'] = /^[0-9]+-(more|part|snapshot)/.exec(name) ?? [];
  return { name, number: Number(name.slice(0, 16)), kind: kind as DocumentKind };
}

function nameOf(number: number, ending: string): RecoveryName {
  const name = `${String(number).padStart(16, '0')}${ending}.jsonl.gz`;
  if (!isRecoveryName(name)) throw new RangeError(`no name in the log for ${number}${ending}`);
  return name;
}
