import { statfsSync } from 'node:fs';
import { isErrno } from '../base/errors.ts';
import { kernelIsAtLeast } from './host.ts';

/** statfs(2) */
const TMPFS = 0x01021994;

/** Whether what is written below a path stays in memory; false when there is nothing at that path. */
export function isInMemory(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Mount options of a tmpfs for what must not get onto a disk: swapped out it would be on one.
 * `size`: bytes, or as tmpfs(5) has it.
 */
export function memoryOptions(size: number | string): string {
  return `size=${size}${kernelIsAtLeast(6, 4) ? ',noswap' : ''}`;
}
