import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a container may open, for the v1 devices controller: null, zero, full, random, urandom, tty, console, ptmx and
 * pts; and it may make any node (CAP_MKNOD), which it then cannot open. On cgroup2 the helper's BPF program says the same.
 */
const allowed = [
  'c *:* m',
  'b *:* m',
  'c 1:3 rwm',
  'c 1:5 rwm',
  'c 1:7 rwm',
  'c 1:8 rwm',
  'c 1:9 rwm',
  'c 5:0 rwm',
  'c 5:1 rwm',
  'c 5:2 rwm',
  'c 136:* rwm',
];

/** Closes all devices but the allowed ones in a fresh v1 devices cgroup. */
export function restrictDevices(dir: string): void {
  writeFileSync(join(dir, 'devices.deny'), 'a', { flag: 'r+' });
  for (const rule of allowed) writeFileSync(join(dir, 'devices.allow'), rule, { flag: 'r+' });
}
