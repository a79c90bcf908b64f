import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export const USAGE = `npm run test:gc-storm -- [options]
  --operations N   requests of clients before the storm ends (50,000; a release is held to 10,000,000)
  --seed S         repeats the choices of a storm, though not what met what (random)
  --grace D        ENTREPOT_GC_GRACE (0s); longer than a push takes, no push may be refused
  --undo D         ENTREPOT_GC_UNDO (3s)
  --store KIND     filesystem or s3 (filesystem)
  --jobrunners N   collectors (2)
  --registries N   data planes (2)
  --against FILE   an installation that runs already, with --grace and --undo as it is set: JSON with databaseUrl, issuer,
                   registries, admin and stranger
SIGTERM ends a storm before its time; what it left is checked all the same.
`;

export interface StormOptions {
  readonly operations: number;
  readonly seed: number;
  readonly grace: string;
  readonly undo: string;
  readonly store: 'filesystem' | 's3';
  readonly jobrunners: number;
  readonly registries: number;
  readonly against?: string;
}

/** Undefined where only the usage is asked for; throws with a line for the user where the command line is not understood. */
export function parseOptions(parameters: readonly string[]): StormOptions | undefined {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      operations: { type: 'string', default: '50000' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      grace: { type: 'string', default: '0s' },
      undo: { type: 'string', default: '3s' },
      store: { type: 'string', default: 'filesystem' },
      jobrunners: { type: 'string', default: '2' },
      registries: { type: 'string', default: '2' },
      against: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { grace, undo, store } = values;
  if (store !== 'filesystem' && store !== 's3') throw new Error(`--store is filesystem or s3, not ${store}`);
  return {
    operations: wholeNumber(values.operations),
    seed: wholeNumber(values.seed),
    grace,
    undo,
    store,
    jobrunners: wholeNumber(values.jobrunners),
    registries: wholeNumber(values.registries),
    ...(values.against !== undefined && { against: values.against }),
  };
}

function wholeNumber(text: string): number {
  const value = Number(text.replaceAll(/[,_]/g, ''));
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${text} is no whole number`);
  return value;
}
