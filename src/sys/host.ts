import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

/** The Linux from which on a tmpfs can be id-mapped: files of every pod are on one. */
export const MAPPED_TMPFS = [6, 3] as const;

/** Changes with every boot: what was noted under another id is void. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Whether systemd is PID 1 (sd_booted(3)). */
export function underSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

/** `6.1.0-18-cloud-amd64` → `[6, 1]`. */
export function kernelVersion(text: string = release()): readonly [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

export function kernelIsAtLeast(major: number, minor: number, text?: string): boolean {
  const [a, b] = kernelVersion(text);
  return a > major || (a === major && b >= minor);
}
