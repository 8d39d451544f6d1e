import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Mounts a new file system on a new folder. */
export function mount(type: string, dir: string, data: string): void {
  mkdirSync(dir, { recursive: true });
  execFileSync('mount', ['-t', type, '-o', data, type, dir]);
}

export function umount(dir: string): void {
  execFileSync('umount', ['-l', dir]);
}
