import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGone } from './tree.ts';

/**
 * How many processes of a cgroup the kernel has killed for want of memory (memory.events of cgroup v2, memory.oom_control
 * of v1). `dir`: the folder with the files of the memory controller; 0 without one, or when the cgroup is gone.
 */
export function oomKills(dir: string | undefined): number {
  if (dir === undefined) return 0;
  const file = ['memory.events', 'memory.oom_control'].map((name) => join(dir, name)).find((path) => existsSync(path));
  return file === undefined ? 0 : numberIn(file, 'oom_kill');
}

/** The number after a key, in a file of `key number` lines. */
function numberIn(file: string, key: string): number {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${key} `));
    return Number(line?.slice(key.length + 1) ?? 0);
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}
