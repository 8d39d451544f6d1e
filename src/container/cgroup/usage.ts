import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/errors.ts';
import { isGone } from './tree.ts';

/**
 * How many processes of a cgroup the kernel has killed for want of memory (memory.events of cgroup v2, memory.oom_control
 * of v1). `dir`: the folder with the files of the memory controller; 0 without one, or when the cgroup is gone.
 */
export function oomKills(dir: string | undefined): number {
  if (dir === undefined) return 0;
  return numberIn(knobText(dir, 'memory.events') ?? knobText(dir, 'memory.oom_control') ?? '', 'oom_kill');
}

/** The number after a key, in a text of `key number` lines; 0 when it is not there. */
export function numberIn(text: string, key: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${key} `));
  return Number(line?.slice(key.length + 1) ?? 0);
}

/** A file of a cgroup; undefined when this one has no such file, or is gone. */
export function knobText(dir: string, file: string): string | undefined {
  try {
    return readFileSync(join(dir, file), 'utf8');
  } catch (error) {
    // Pressure that the kernel was told not to count.
    if (isGone(error) || isErrno(error, 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}
