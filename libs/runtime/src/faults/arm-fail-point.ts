import { ConfigError } from '../config/load-config.js';
import { isLoopbackHost, type HttpConfig } from '../config/sections.js';
import type { Logger } from '../observe/logger.js';

/** For the project's own tests, and reserved for them: no setting. */
const VARIABLE = 'ENTREPOT_TEST_FAIL_POINT';
const SIGNALS = { kill: 'SIGKILL', pause: 'SIGSTOP' } as const;

/** Told at every point that is passed. */
export type Reached = (point: string) => Promise<void>;

/**
 * What `ENTREPOT_TEST_FAIL_POINT=<point>=kill` asks for: the process kills itself when it gets there (`pause`: stops,
 * until SIGCONT). `<point>=kill@3` means the third time. Undefined, and so without cost, where it is not set.
 * @throws ConfigError where there is no such point, and where the registry listens beyond loopback.
 */
export function armFailPoint(points: readonly string[], http: HttpConfig, logger: Logger): Reached | undefined {
  const text = process.env[VARIABLE];
  if (text === undefined || text === '') return undefined;
  const [, point = '', action = '', times = '1'] = /^([^=]+)=(kill|pause)(?:@(\d+))?$/.exec(text) ?? [];
  if (!points.includes(point)) {
    throw new ConfigError([`${VARIABLE}: must be POINT=kill or POINT=pause, and POINT one of ${points.join(', ')}`]);
  }
  if (!isLoopbackHost(http.host)) {
    throw new ConfigError([`${VARIABLE}: set, and ENTREPOT_HTTP_HOST is no loopback address; it is for tests only`]);
  }
  logger.warn({ point, action }, 'a fail point is armed: this process will end itself or stop there');
  let left = Number(times);
  return async (passed) => {
    if (passed !== point || (left -= 1) !== 0) return;
    process.kill(process.pid, SIGNALS[action as keyof typeof SIGNALS]);
  };
}
