/** Answers by the place of their questions (`WITH ORDINALITY`, from 1); undefined where no row answers. */
export function inOrder<Row extends { readonly ord: number }, T>(
  length: number,
  rows: readonly Row[],
  build: (row: Row) => T,
): (T | undefined)[] {
  const found: (T | undefined)[] = Array.from({ length });
  for (const row of rows) found[row.ord - 1] = build(row);
  return found;
}
