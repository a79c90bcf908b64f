/** Lines that workers write into a job's log themselves, by the words of the published guide where it has one. */
export const RUNNER_LINES = {
  started: 'worker_started: ',
  dead: 'worker_dead: ',
  shutdown: 'worker_shutdown: ',
  ended: 'ended: ',
} as const;

/** Whether a line is a worker's own, and not what the job's kind said. */
export function isRunnerLine(data: string): boolean {
  return Object.values(RUNNER_LINES).some((prefix) => data.startsWith(prefix));
}
