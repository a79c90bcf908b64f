import { parseRepositoryName } from '@entrepot/oci';
import { isKindName, type KindName } from './kind-names.js';

/** What a value has to be, and whether a text is that. */
interface Parameter {
  readonly expected: string;
  accepts(text: string): boolean;
}

type Parameters = Readonly<Record<string, Parameter>>;

const DRY_RUN: Parameters = {
  'dry-run': { expected: 'true or false', accepts: (text) => /^(true|false)$/.test(text) },
};

const REPOSITORY: Parameter = { expected: 'the name of a repository', accepts: isRepositoryName };

const RATE: Parameter = {
  expected: 'a number of objects per second, more than 0',
  accepts: (text) => /^\d{1,9}(\.\d{1,9})?$/.test(text) && Number(text) > 0,
};

function isRepositoryName(text: string): boolean {
  try {
    parseRepositoryName(text);
    return true;
  } catch {
    return false;
  }
}

const PARAMETERS: Readonly<Record<KindName, Parameters>> = {
  review: DRY_RUN,
  sweep: { ...DRY_RUN, rate: RATE },
  'purge-uploads': DRY_RUN,
  scrub: { ...DRY_RUN, repository: REPOSITORY },
  fold: DRY_RUN,
};

/**
 * Says why a job of this kind cannot be run with these parameters: what it does not know could be meant to keep it from what it
 * would do. Undefined where it can, and for a kind that is not one of `KINDS`.
 */
export function refuseParameters(kind: string, parameters: Readonly<Record<string, string>>): string | undefined {
  if (!isKindName(kind)) return undefined;
  const known = PARAMETERS[kind];
  for (const [name, value] of Object.entries(parameters)) {
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (parameter === undefined) return `${kind} has no parameter ${name}; there are ${Object.keys(known).join(', ')}`;
    if (!parameter.accepts(value)) return `the parameter ${name} must be ${parameter.expected}, not '${value}'`;
  }
  return undefined;
}
