import { join } from 'node:path';
import { MinirtError } from '../../base/errors.ts';
import type { MountEntry } from '../../sys/mountinfo.ts';
import type { Controller } from './limits.ts';

/** One mounted cgroup filesystem, and where in it this process is. */
export interface Hierarchy {
  readonly dir: string;
  /** This process's own folder in it; undefined when it lies outside of what is mounted. */
  readonly own: string | undefined;
  readonly writable: boolean;
  /** Of v1: the controllers in it, as its mount names them. */
  readonly names: readonly string[];
}

const V1_CONTROLLERS = [
  ...['blkio', 'cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'hugetlb', 'memory', 'misc', 'net_cls', 'net_prio'],
  ...['perf_event', 'pids', 'rdma'],
];

/** What the host has: every hierarchy that the driver can use. */
export interface Hierarchies {
  readonly mode: 'v1' | 'hybrid' | 'v2';
  readonly unified: Hierarchy | undefined;
  readonly freezer: Hierarchy | undefined;
  readonly devices: Hierarchy | undefined;
  /** The v1 hierarchies that limits can be kept by. */
  readonly controllers: ReadonlyMap<Controller, Hierarchy>;
}

const mountLine = 'mount -t cgroup2 none /sys/fs/cgroup';

/**
 * Finds the cgroup filesystems in a mount table. `ownCgroups` is the text of `/proc/self/cgroup`. Throws `host.no-cgroup`
 * when there is nothing to keep containers in.
 */
export function findHierarchies(mounts: readonly MountEntry[], ownCgroups: string): Hierarchies {
  const own = parseOwnCgroups(ownCgroups);
  const unified = choose(mounts, own, '');
  const freezer = choose(mounts, own, 'freezer');
  const devices = choose(mounts, own, 'devices');
  const v1 = mounts.some((mount) => mount.type === 'cgroup');
  const mode = unified === undefined ? 'v1' : v1 ? 'hybrid' : 'v2';
  const killer = unified ?? freezer;
  if (killer === undefined) {
    const what = v1 ? 'neither cgroup2 nor the v1 freezer is mounted' : 'no cgroup filesystem is mounted';
    throw new MinirtError('host.no-cgroup', `find cgroups: ${what}`, { hint: mountLine });
  }
  if (!killer.writable) {
    throw new MinirtError('host.no-cgroup', `find cgroups: ${killer.dir}: mounted read-only`, {
      hint: `mount -o remount,rw ${killer.dir}`,
    });
  }
  const controllers = new Map<Controller, Hierarchy>();
  for (const controller of ['cpu', 'memory', 'hugetlb'] as const) {
    const hierarchy = choose(mounts, own, controller);
    if (hierarchy?.writable === true) controllers.set(controller, hierarchy);
  }
  return { mode, unified, freezer, devices, controllers };
}

/** `controller` is empty for cgroup2. A writable mount is preferred, then the one that shows most. */
function choose(
  mounts: readonly MountEntry[],
  own: ReadonlyMap<string, string>,
  controller: string,
): Hierarchy | undefined {
  const candidates = mounts.filter((mount) =>
    controller === '' ? mount.type === 'cgroup2' : mount.type === 'cgroup' && mount.superOptions.includes(controller),
  );
  const depth = ({ root }: MountEntry): number => root.length;
  const found = candidates
    .toSorted((a, b) => depth(a) - depth(b))
    .map((mount) => ({
      dir: mount.mountPoint,
      own: beneath(mount, own.get(controller)),
      writable: mount.options.includes('rw') && mount.superOptions.includes('rw'),
      names: mount.superOptions.filter((option) => V1_CONTROLLERS.includes(option)),
    }));
  found.sort((a, b) => Number(b.writable) - Number(a.writable));
  const [best] = found;
  return best;
}

function beneath(mount: MountEntry, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (mount.root === '/') return join(mount.mountPoint, path);
  if (path !== mount.root && !path.startsWith(`${mount.root}/`)) return undefined;
  return join(mount.mountPoint, path.slice(mount.root.length));
}

/** Controller name → path; cgroup2 is the empty name (cgroups(7)). */
export function parseOwnCgroups(text: string): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, id, names, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (id === undefined || names === undefined || path === undefined) continue;
    for (const name of names.split(',')) own.set(name, path);
  }
  return own;
}
