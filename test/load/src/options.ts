import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { CONTENDER_NAMES, type ContenderName } from './contenders/contender.js';

export const USAGE = `npm run bench -- [options]
  --quick            fewer and shorter repetitions, 10,000 tags
  --scale            several data-plane processes, an object store, crowds and full tables, in place of the rest
  --gc               the pace of garbage collection, and what requests notice of it, in place of the rest;
                     with --quick beside 0 and 100,000 blobs that stay, else beside 1,000,000 too
  --upload-mib N     with --scale: size of each of the 64 parallel uploads (1024; 16 with --quick)
  --only a,b         only work whose name begins with one of these (see --list)
  --peers a,b        only these contenders: ${CONTENDER_NAMES.join(', ')}
  --json FILE        write all samples to FILE too
  --directory DIR    where the data of all contenders go while it runs (the system's directory for temporary files);
                     a directory in memory makes durable writes meaningless
  --list             print the names of the work and end
`;

/** What the command line asks for. */
export interface Options {
  readonly isQuick: boolean;
  readonly isScale: boolean;
  readonly isGc: boolean;
  readonly uploadMib?: number;
  readonly isList: boolean;
  readonly isHelp: boolean;
  /** Beginnings of names of work; empty: all. */
  readonly only: readonly string[];
  readonly peers: readonly ContenderName[];
  readonly jsonFile?: string;
  readonly directory: string;
}

/** Throws with a line for the user where the command line is not understood. */
export function parseOptions(parameters: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      quick: { type: 'boolean', default: false },
      scale: { type: 'boolean', default: false },
      gc: { type: 'boolean', default: false },
      'upload-mib': { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      peers: { type: 'string', default: CONTENDER_NAMES.join(',') },
      json: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
    },
  });
  return {
    isQuick: values.quick,
    isScale: values.scale,
    isGc: values.gc,
    ...(values['upload-mib'] !== undefined && { uploadMib: wholeNumber(values['upload-mib']) }),
    isList: values.list,
    isHelp: values.help,
    only: splitList(values.only),
    peers: splitList(values.peers).map(contenderName),
    ...(values.json !== undefined && { jsonFile: values.json }),
    directory: values.directory,
  };
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new Error(`${text} is not a whole number`);
}

function splitList(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function contenderName(text: string): ContenderName {
  const name = CONTENDER_NAMES.find((known) => known === text);
  if (!name) throw new Error(`no contender is named ${text}; there are ${CONTENDER_NAMES.join(', ')}`);
  return name;
}
