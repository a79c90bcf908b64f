/** Entries as JSON, or as a table whose columns are the entries' keys. */
export function formatList(entries: readonly object[], { json }: { readonly json?: true }): string {
  if (json) return `${JSON.stringify(entries, null, 2)}\n`;
  const columns = Object.keys(entries[0] ?? {});
  const rows = entries.map((entry) => Object.values(entry).map(formatCell));
  const lines = [columns.map((column) => column.toUpperCase()), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function formatCell(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}
