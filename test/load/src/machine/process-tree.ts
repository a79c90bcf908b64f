import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Where utime and stime stand among the fields of /proc/PID/stat after the name, and their unit (USER_HZ is 100). */
const USER_TICKS = 11;
const MS_PER_TICK = 10;

/**
 * The process and its descendants, and every process that works inside `directory`: a database server that was made a
 * daemon is no longer a descendant of whoever started it, but its working directory is its data.
 */
export function processTree(rootPid: number, directory: string): readonly number[] {
  const parents = new Map<number, number>();
  const inside = new Set<number>([rootPid]);
  for (const pid of allPids()) {
    const parent = parentOf(pid);
    if (parent === undefined) continue;
    parents.set(pid, parent);
    if (worksInside(pid, directory)) inside.add(pid);
  }
  return [...parents.keys()].filter((pid) => descendsFrom(pid, inside, parents));
}

/** Proportional set size of these processes together: shared pages are counted once. Processes gone since count 0. */
export function proportionalSetBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const rollup = readOf(pid, 'smaps_rollup');
    return sum + Number(/^Pss:\s+(\d+) kB/m.exec(rollup ?? '')?.[1] ?? 0) * 1024;
  }, 0);
}

/** Processor time that these processes have used up to now, in the kernel and outside. */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [userTicks = 0, systemTicks = 0] = statFields(pid)
      .slice(USER_TICKS, USER_TICKS + 2)
      .map(Number);
    return sum + (userTicks + systemTicks) * MS_PER_TICK;
  }, 0);
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function descendsFrom(pid: number, roots: ReadonlySet<number>, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)) {
    if (roots.has(at)) return true;
  }
  return false;
}

function parentOf(pid: number): number | undefined {
  const parent = statFields(pid)[1];
  return parent === undefined ? undefined : Number(parent);
}

/** The fields after the name, which stands in brackets and may hold anything, brackets and blanks too. */
function statFields(pid: number): readonly string[] {
  const stat = readOf(pid, 'stat');
  return stat === undefined ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function worksInside(pid: number, directory: string): boolean {
  try {
    return `${readlinkSync(join('/proc', String(pid), 'cwd'))}${sep}`.startsWith(`${directory}${sep}`);
  } catch {
    return false;
  }
}

function readOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(join('/proc', String(pid), file), 'utf8');
  } catch {
    return undefined;
  }
}
