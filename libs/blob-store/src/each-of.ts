/** Does the work for each of the items, `atOnce` of them at a time; rejects with the first failure once none is under way. */
export async function eachOf<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const lanes = Array.from({ length: atOnce }, async () => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  });
  for (const outcome of await Promise.allSettled(lanes)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
