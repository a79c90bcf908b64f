import { AccessError } from '@entrepot/access';
import { ReferenceGone, RepositoryGone, StoreUnavailable } from '@entrepot/content';
import { DatabaseUnavailable } from '@entrepot/metadata';
import { RegistryError } from '@entrepot/oci';
import { ConfigError, ListenError, WorkerRefused } from '@entrepot/runtime';
import { CommandFailure, EXIT_CODES, type ExitReason } from './exit-codes.js';

/** What is said of the work itself, and not of the machinery. */
const REFUSALS = [AccessError, RegistryError, RepositoryGone, ReferenceGone];

/** Prints why a command ended, in one line where something can be done about it, and returns the exit code. */
export function reportFailure(error: unknown, write: (text: string) => unknown): number {
  if (error instanceof WorkerRefused) {
    write(`entrepot: ${error.message}\n`);
    return error.exitCode;
  }
  const reason = reasonOf(error);
  if (reason === 'internal') {
    write(`entrepot: unexpected error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  } else {
    write(`entrepot: ${(error as Error).message}${explain(error)}\n`);
  }
  if (error instanceof CommandFailure) for (const line of error.details) write(`  ${line}\n`);
  return EXIT_CODES[reason];
}

/** Who runs a command may see what the driver says; who sends a request may not. */
function explain(error: unknown): string {
  if (!(error instanceof DatabaseUnavailable) || !(error.cause instanceof Error)) return '';
  return ` (${error.cause.message}); check ENTREPOT_DATABASE_URL and that it runs`;
}

function reasonOf(error: unknown): ExitReason {
  if (error instanceof CommandFailure) return error.reason;
  if (error instanceof ConfigError) return 'config';
  if (error instanceof ListenError) return 'address';
  if (REFUSALS.some((refusal) => error instanceof refusal)) return 'refused';
  return error instanceof DatabaseUnavailable || error instanceof StoreUnavailable ? 'unavailable' : 'internal';
}
