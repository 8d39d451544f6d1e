import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { podPaths, supervisorSocket } from '../state/paths.ts';
import type { Roots } from '../state/paths.ts';

/** What the state folder accounts for: a pod is known as long as it has a folder, for its next owner will adopt it. */
export interface Known {
  readonly pods: ReadonlySet<string>;
  /** Paths of the sockets that its owners, monitors and supervisor may have. */
  readonly sockets: ReadonlySet<string>;
}

export function readKnown(roots: Roots): Known {
  const pods = namesIn(join(roots.state, 'pods'));
  const sockets = pods.flatMap((uid) => {
    const paths = podPaths(roots, uid);
    const runs = [...namesIn(join(paths.dir, 'c')), ...namesIn(paths.execs)];
    return [paths.socket, ...runs.map((id) => join(roots.state, 's', id))];
  });
  return { pods: new Set(pods), sockets: new Set([...sockets, supervisorSocket(roots)]) };
}

/** Names in a folder; none when it is not there. */
export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
}
