import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';

/** A device node of the host. */
export interface Device {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
}

/** What a container has of its own, or what is no device. */
const OF_CONTAINERS: ReadonlySet<string> = new Set([
  'pts', 'shm', 'fd', 'mqueue', 'console', 'ptmx', 'null', 'zero', 'full', 'random', 'urandom', 'tty', '.lxc', '.lxd-mounts', '.udev',
]); // prettier-ignore

/** The device nodes below /dev, for a privileged container (containerd: WithHostDevices). */
export function hostDevices(folder = '/dev'): readonly Device[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry: Dirent) => {
    const path = join(folder, entry.name);
    if (folder === '/dev' && OF_CONTAINERS.has(entry.name)) return [];
    if (entry.isDirectory()) return hostDevices(path);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    try {
      const { rdev, mode } = lstatSync(path);
      return [{ path, type: entry.isBlockDevice() ? 'b' : 'c', mode: mode & 0o777, ...numbersOf(rdev) } as const];
    } catch (error) {
      // Devices come and go.
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

/** gnu_dev_major(3) and gnu_dev_minor(3), of numbers that fit 32 bits, as Linux has them. */
function numbersOf(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev);
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn)),
  };
}
