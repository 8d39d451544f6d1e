import { rmSync } from 'node:fs';
import { MinirtError, isMinirtError, messageOf } from '../base/errors.ts';
import { clearCgroup } from '../container/cgroup/census.ts';
import { BRIDGE_PREFIX, removeBridge } from '../network/bridge.ts';
import type { Roots } from '../state/paths.ts';
import { runCommand } from '../sys/command.ts';
import { ip } from '../sys/links.ts';
import { readMountinfo } from '../sys/mountinfo.ts';
import { processStart } from '../sys/process.ts';
import { leakedAddresses, leakedFiles, leakedSockets } from './find-files.ts';
import { leakedCgroups, leakedLinks, leakedMounts, leakedProcesses } from './find-kernel.ts';
import { readKnown } from './known.ts';
import type { Leak } from './leak.ts';

export type { Leak } from './leak.ts';

/**
 * What these roots' minirt left on the host: everything that was made for a pod which has no folder any more. A pod that
 * lost its owner is no leak: the next owner adopts it. Looks only at what bears this state folder's name.
 */
export async function findLeaks(roots: Roots): Promise<Leak[]> {
  // Pods first: one that appears while the rest is read would look unknown, one that goes would merely be missed.
  const before = readKnown(roots);
  const found = await look(roots, before);
  if (found.length === 0) return [];
  const after = readKnown(roots);
  return found.filter(({ pod, what }) => (pod === undefined || !after.pods.has(pod)) && !after.sockets.has(what));
}

async function look(roots: Roots, known: ReturnType<typeof readKnown>): Promise<Leak[]> {
  return [
    ...leakedProcesses(roots, known),
    ...leakedCgroups(roots, known),
    ...(await leakedLinks(roots, known)),
    ...leakedMounts(roots, known),
    ...leakedAddresses(roots, known),
    ...leakedSockets(roots, known),
    ...leakedFiles(roots, known),
  ];
}

export interface Fix {
  readonly leak: Leak;
  /** Undefined when it is gone now. */
  readonly error: MinirtError | undefined;
}

/** How long taking a bridge and its rules away may take. */
const LIMIT_MS = 20_000;

/** In this order nothing that is still in use is pulled from under its user. */
const ORDER: readonly Leak['kind'][] = ['process', 'cgroup', 'link', 'mount', 'netns', 'address', 'socket', 'file'];

/** Removes what a search found; each on its own, so that one that resists does not keep the others. */
export async function fixLeaks(leaks: readonly Leak[]): Promise<Fix[]> {
  const fixes: Fix[] = [];
  // Deepest mounts first, which are the last of the table.
  const ordered = [...leaks].reverse().sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  for (const leak of ordered) {
    try {
      await remove(leak);
      fixes.push({ leak, error: undefined });
    } catch (error) {
      const message = `remove ${leak.kind}: ${leak.what}: ${messageOf(error)}`;
      fixes.push({ leak, error: isMinirtError(error) ? error : new MinirtError('io', message, { cause: error }) });
    }
  }
  return fixes;
}

async function remove(leak: Leak): Promise<void> {
  switch (leak.kind) {
    case 'process':
      // Only whom the search saw: a pid alone may be somebody else's by now.
      if (processStart(Number(leak.what)) === leak.start) process.kill(Number(leak.what), 'SIGKILL');
      return;
    case 'cgroup':
      return clearCgroup(leak.what);
    case 'link':
      return leak.what.startsWith(BRIDGE_PREFIX)
        ? removeBridge(leak.what, AbortSignal.timeout(LIMIT_MS))
        : removeLink(leak.what);
    case 'mount':
    case 'netns':
      return unmount(leak.what);
    case 'address':
    case 'socket':
    case 'file':
      return removeFiles(leak.what);
  }
}

/** Never through a mount: behind it may be a folder of the host that a pod had bound. */
function removeFiles(path: string): void {
  const mounted = readMountinfo().find(({ mountPoint }) => mountPoint === path || mountPoint.startsWith(`${path}/`));
  if (mounted !== undefined)
    throw new MinirtError('io', `remove files: ${path}: ${mounted.mountPoint} is mounted there`);
  rmSync(path, { recursive: true, force: true });
}

async function removeLink(name: string): Promise<void> {
  try {
    await ip(['link', 'delete', name]);
  } catch (error) {
    if (!isMinirtError(error) || !String(error.details['stderr']).includes('Cannot find device')) throw error;
  }
}

/** Node cannot unmount; umount(8) of util-linux is on every host. */
async function unmount(path: string): Promise<void> {
  const result = await runCommand('umount', ['--lazy', path]);
  if (result.code !== 0 && !/not mounted|no mount point/.test(result.stderr)) {
    throw new MinirtError('io', `unmount: ${path}: ${result.stderr.trim()}`);
  }
}
