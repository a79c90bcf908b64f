import { isDeadlock } from './errors.js';

/** Of several transactions that wait for each other all but one may have to begin again, one after the other. */
const MOST_ATTEMPTS = 5;

/**
 * Runs a transaction, and once more from its beginning where it was given up so that others could end. Removals find rows
 * in another order than pushes do: their locks can cross, which is no failure of either.
 */
export async function retryDeadlocks<T>(transaction: () => Promise<T>, attempts = MOST_ATTEMPTS): Promise<T> {
  try {
    return await transaction();
  } catch (error) {
    if (attempts > 1 && isDeadlock(error)) return retryDeadlocks(transaction, attempts - 1);
    throw error;
  }
}
