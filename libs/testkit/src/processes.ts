import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Which processes belong to a started product. */
export interface ProcessSet {
  /** Process group of its first process. */
  readonly groupId: number;
  /** Whoever works inside it belongs too: an embedded Postgres has a session of its own. */
  readonly directory: string;
}

/** Ids of the processes that live now, without those that ended and were not waited for. */
export function findProcesses({ groupId, directory }: ProcessSet): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const [state, , group] = statFields(pid);
      if (state === undefined || state === 'Z' || state === 'X') return false;
      return Number(group) === groupId || worksInside(pid, directory);
    });
}

/** Sends SIGKILL to all of them, whoever they start meanwhile included, and returns once none is left. */
export async function killProcesses(processes: ProcessSet): Promise<void> {
  for (let found = findProcesses(processes); found.length > 0; found = findProcesses(processes)) {
    found.forEach((pid) => signalProcess(pid, 'SIGKILL'));
    await delay(POLL_MS);
  }
}

/** Sends a signal to a process (a group, where the id is negative); false if it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Asks a child to end (SIGTERM), and ends it where it takes longer than `timeoutMs`. Nothing, where it ended before. */
export async function endChild(child: ChildProcess, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([ended, delay(timeoutMs, undefined, { ref: false })]);
  child.kill('SIGKILL');
}

/** Most memory that the process has had resident so far. */
export function peakResidentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Lets `peakResidentBytes` begin anew, at what the process has resident now. */
export function forgetPeakResident(pid: number): void {
  // proc(5): 5 resets the peak resident set size.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The fields after the name, which stands in brackets and may hold anything: state, parent, process group, … */
function statFields(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function worksInside(pid: number, directory: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}${sep}`.startsWith(`${directory}${sep}`);
  } catch {
    return false;
  }
}
