import { pino } from 'pino';
import type { LogConfig } from '../config/sections.js';
import { scrubLine } from './printable.js';
import { prettyLine } from './pretty-line.js';

/** Structured log; the first argument holds fields, the second is a constant sentence. */
export type Logger = pino.Logger;

export interface LoggerOptions {
  /** Name of the process, in every line as `service`. */
  readonly service: string;
  /** Number of the worker where several processes are one service, in every line as `worker`. */
  readonly worker?: number;
  /** Where lines go; standard output unless given. */
  readonly destination?: { write(line: string): void };
}

const MAX_TEXT_LENGTH = 2048;
const MAX_STACK_LENGTH = 8192;
const MAX_DEPTH = 4;
const SECRET_KEY =
  /^(proxy-)?authorization$|^(set-)?cookie$|pass(word|wd)$|secret$|(^|_)token$|[a-z]Token$|^_?state$|(private|secret|signing)_?key$|^credentials?$/i;

/**
 * A logger that writes one JSON object per line. Values of secret-sounding keys, bearer and basic credentials, tokens and
 * passwords in URLs are redacted; texts are cut and control characters escaped (security checklist J-07, L-02).
 */
export function createLogger(config: LogConfig, options: LoggerOptions): Logger {
  const stdout = options.destination ?? pino.destination({ dest: 1, sync: true });
  const destination = config.format === 'pretty' ? { write: (line: string) => stdout.write(prettyLine(line)) } : stdout;
  return pino(
    {
      level: config.level,
      base: { service: options.service, ...(options.worker === undefined ? {} : { worker: options.worker }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields, 0),
      },
      serializers: { err: serializeError },
      hooks: { streamWrite: scrubLine },
    },
    destination,
  );
}

/** The error with its chain of causes (names, messages, stacks) cut to a bounded length. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type, ...code, message: cut(message, MAX_TEXT_LENGTH), stack: cut(stack ?? '', MAX_STACK_LENGTH) };
}

function redactFields(fields: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      SECRET_KEY.test(key) && value !== undefined ? '[redacted]' : redactValue(value, depth),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value, MAX_TEXT_LENGTH);
  if (Array.isArray(value))
    return depth < MAX_DEPTH ? value.slice(0, 100).map((part) => redactValue(part, depth + 1)) : '[…]';
  if (!isPlainObject(value)) return value;
  return depth < MAX_DEPTH ? redactFields(value, depth + 1) : '[…]';
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}… (${text.length} characters)` : text;
}
