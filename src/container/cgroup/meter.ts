import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/errors.ts';
import { hostHierarchies } from './census.ts';
import { Controllers } from './controllers.ts';
import { processesIn } from './tree.ts';
import { knobText, numberIn } from './usage.ts';

/** What a cgroup uses, all that is executed in it included. */
export interface Usage {
  /** CPU time since it was made, in nanoseconds. */
  readonly cpu: bigint;
  /** Bytes that cannot be had back at once: without files that nobody has looked at lately. */
  readonly memory: number;
  /** Percent of the last ten seconds in which something in it waited; undefined where the kernel does not say. */
  readonly pressure: { readonly cpu: number | undefined; readonly memory: number | undefined };
}

/** How often the clock of proc_pid_stat(5) ticks in a second. */
const TICKS = 100n;

/** Reads what the cgroup of a container uses, by its persisted path; undefined when it is gone. Changes nothing. */
export function cgroupUsage(path: string): Usage | undefined {
  const found = hostHierarchies();
  const main = found?.unified?.dir ?? found?.freezer?.dir;
  if (found === undefined || main === undefined || knobText(path, 'cgroup.procs') === undefined) return undefined;
  const memory = new Controllers(found, main).folderOf('memory', path);
  return {
    cpu: cpuTime(path),
    memory: (memory === undefined ? undefined : workingSet(memory)) ?? shareOfMemory(path),
    pressure: { cpu: pressure(path, 'cpu'), memory: pressure(path, 'memory') },
  };
}

/** Every cgroup2 counts it, without a controller too; of cgroup v1 the processes that live are asked. */
function cpuTime(dir: string): bigint {
  const stat = knobText(dir, 'cpu.stat');
  if (stat !== undefined) return BigInt(numberIn(stat, 'usage_usec')) * 1000n;
  return (
    sum(processesIn(dir), (pid) => {
      // The name, in parentheses, may hold blanks.
      const fields = readOf(pid, 'stat')
        .replace(/^.*\) /s, '')
        .split(' ');
      return BigInt(fields[11] ?? 0) + BigInt(fields[12] ?? 0);
    }) *
    (1_000_000_000n / TICKS)
  );
}

/** As cadvisor counts it; undefined where no memory controller looks after the cgroup. */
function workingSet(dir: string): number | undefined {
  const all = knobText(dir, 'memory.current') ?? knobText(dir, 'memory.usage_in_bytes');
  if (all === undefined) return undefined;
  const stat = knobText(dir, 'memory.stat') ?? '';
  const idle = Math.max(numberIn(stat, 'total_inactive_file'), numberIn(stat, 'inactive_file'));
  return Math.max(0, Number(all) - idle);
}

/** What its processes have of their own, and their part of what they share. */
function shareOfMemory(dir: string): number {
  return Number(
    sum(processesIn(dir), (pid) => {
      const [, kilobytes = '0'] = /^Pss: +(\d+) kB$/m.exec(readOf(pid, 'smaps_rollup')) ?? [];
      return BigInt(kilobytes) * 1024n;
    }),
  );
}

function pressure(dir: string, of: 'cpu' | 'memory'): number | undefined {
  const [, percent] = /^some avg10=([\d.]+)/m.exec(knobText(dir, `${of}.pressure`) ?? '') ?? [];
  return percent === undefined ? undefined : Number(percent);
}

function sum(pids: readonly number[], of: (pid: number) => bigint): bigint {
  return pids.reduce((total, pid) => total + of(pid), 0n);
}

/** Empty for a process that is gone. */
function readOf(pid: number, file: string): string {
  try {
    return readFileSync(join('/proc', String(pid), file), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return '';
    throw error;
  }
}
