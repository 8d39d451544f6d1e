import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * When a process started, in clock ticks since boot: with the pid it names one process for as long as the host is up.
 * Undefined when there is no such process.
 */
export function processStart(pid: number): string | undefined {
  try {
    return parseStart(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Field 22 of `/proc/pid/stat`; the command in field 2 may hold blanks and parentheses. */
export function parseStart(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

export interface ProcessEntry {
  readonly pid: number;
  readonly start: string;
  /** The words of its command line; empty for a zombie or a kernel thread. */
  readonly command: readonly string[];
}

/** All processes that this one may see. */
export function processes(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const start = processStart(Number(name));
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
      return start === undefined ? [] : [{ pid: Number(name), start, command }];
    } catch {
      return [];
    }
  });
}

/** Where the open files of a process lead (`/path`, `socket:[…]`); empty when it is gone. */
export function openFiles(pid: number | 'self'): { readonly fd: number; readonly target: string }[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [{ fd: Number(fd), target: readlinkSync(`/proc/${pid}/fd/${fd}`) }];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
