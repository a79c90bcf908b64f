/** Where progress and the banner go: standard output, or a list in a spec. */
export interface Output {
  write(text: string): unknown;
}

/** Runs one step of the start under a line such as `entrepot: preparing Postgres ... 0.6 s`. */
export async function showStep<T>(output: Output, label: string, step: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  output.write(`entrepot: ${label} ...`);
  try {
    const result = await step();
    output.write(` ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    output.write(' failed\n');
    throw error;
  }
}
