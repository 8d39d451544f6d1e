import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';

/** A container's cgroup within an owner's. */
export function containerFolder(podUid: string, containerId: string): string {
  return join(podFolder(podUid), cleanName(containerId).slice(0, 12));
}

/** A pod's. */
export function podFolder(podUid: string): string {
  return `pod${cleanName(podUid)}`;
}

function cleanName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) && basename(name) === name) return name;
  throw new MinirtError('internal', `name cgroup: ${JSON.stringify(name)}: not a plain name`);
}

/** Somebody who removes an empty parent at this moment is no error: it is made again. */
export function makeFolder(dir: string, attempts = 20): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
  } catch (error) {
    if (isErrno(error, 'ENOENT') && attempts > 0) return makeFolder(dir, attempts - 1);
    throw new MinirtError('host.no-cgroup', `make cgroup: ${dir}: ${messageOf(error)}`, { cause: error });
  }
}
