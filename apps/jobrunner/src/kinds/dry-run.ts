/** Whether the job shall only say what it would do: `entrepot job run KIND --dry-run`. */
export function isDryRun(parameters: Readonly<Record<string, string>>): boolean {
  return parameters['dry-run'] === 'true';
}
