import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MinirtError, isErrno } from '../../base/errors.ts';

/** Every cgroup from `dir` down, deepest first; empty when `dir` is gone. */
export function descendants(dir: string): string[] {
  return [...childrenOf(dir).flatMap((name) => descendants(join(dir, name))), ...(existsSync(dir) ? [dir] : [])];
}

/** Names of the cgroups right below `dir`. */
export function childrenOf(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Processes in `dir` and below. Those of a foreign pid namespace (0) are left out: kill(0) would be suicide. */
export function processesIn(dir: string): number[] {
  return descendants(dir).flatMap((cgroup) => {
    try {
      const text = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8');
      return text
        .split('\n')
        .map(Number)
        .filter((pid) => pid > 0);
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  });
}

/** The cgroup was removed: ENOENT by path, ENODEV through a file that was open already. */
export function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV');
}

/** Removes an empty cgroup; false when something is still in it. */
export function removeEmpty(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    if (isGone(error)) return true;
    if (isErrno(error, 'EBUSY') || isErrno(error, 'ENOTEMPTY')) return false;
    throw error;
  }
}

/** The point in time up to which something is tried, and pauses that grow on the way to it. */
export class Patience {
  readonly #what: string;
  readonly #end: bigint;
  #pause = 1;

  constructor(what: string, ms: number) {
    this.#what = what;
    this.#end = process.hrtime.bigint() + BigInt(ms) * 1_000_000n;
  }

  get leftMs(): number {
    return Math.max(0, Number((this.#end - process.hrtime.bigint()) / 1_000_000n));
  }

  /** Rejects with `deadline.exceeded` when there is none left. */
  async wait(still: () => string): Promise<void> {
    this.check(still);
    await delay(this.#pause);
    this.#pause = Math.min(this.#pause * 2, 50);
  }

  check(still: () => string): void {
    if (this.leftMs > 0) return;
    throw new MinirtError('deadline.exceeded', `${this.#what}: ${still()}`);
  }
}
