import { join, sep } from 'node:path';
import { findPodCgroups } from '../container/cgroup/census.ts';
import { bridgeName } from '../network/bridge.ts';
import { attachedPods, hostDevices } from '../network/index.ts';
import type { Roots } from '../state/paths.ts';
import { links } from '../sys/links.ts';
import type { Link } from '../sys/links.ts';
import { readMountinfo } from '../sys/mountinfo.ts';
import { openFiles, processes } from '../sys/process.ts';
import type { Known } from './known.ts';
import type { Leak } from './leak.ts';

/** Mounts of pods that are not there, below `--state` and `--root`. */
export function leakedMounts(roots: Roots, known: Known): Leak[] {
  const places = [join(roots.state, 'm'), join(roots.state, 'pods'), join(roots.root, 'pods')];
  return readMountinfo().flatMap((mount): Leak[] => {
    const uid = places.map((place) => firstBelow(place, mount.mountPoint)).find((name) => name !== undefined);
    if (uid === undefined || known.pods.has(uid)) return [];
    const kind = mount.type === 'nsfs' ? 'netns' : 'mount';
    return [{ kind, what: mount.mountPoint, pod: uid, detail: `${mount.type} mounted for a pod that is not there` }];
  });
}

/** Cgroups of pods that are not there. */
export function leakedCgroups(roots: Roots, known: Known): Leak[] {
  return findPodCgroups(roots.state).flatMap((found): Leak[] => {
    if (found.pod !== undefined && known.pods.has(found.pod)) return [];
    if (found.pod === undefined && known.pods.size > 0) return [];
    const detail = found.pids.length > 0 ? `with processes ${found.pids.join(' ')}` : 'empty';
    return [{ kind: 'cgroup', what: found.path, pod: found.pod, detail }];
  });
}

/** The bridge without pods, and its ports that no known pod's attachment names. */
export async function leakedLinks(roots: Roots, known: Known): Promise<Leak[]> {
  const bridge = bridgeName(roots.state);
  const found = await linksOrNone();
  const attached = attachedPods(roots.state).filter((uid) => known.pods.has(uid));
  const named = new Set(attached.flatMap((uid) => hostDevices(roots.state, uid)));
  // An ADD that is under way has no device of its own on record yet.
  const settled = attached.every((uid) => hostDevices(roots.state, uid).length > 0);
  return found.flatMap((link): Leak[] => {
    if (link.name === bridge && attached.length === 0) {
      return [{ kind: 'link', what: bridge, pod: undefined, detail: 'bridge without pods' }];
    }
    if (link.master !== bridge || !settled || named.has(link.name)) return [];
    return [{ kind: 'link', what: link.name, pod: undefined, detail: `port of ${bridge} without a pod` }];
  });
}

async function linksOrNone(): Promise<Link[]> {
  try {
    return await links();
  } catch {
    // Without iproute2 there never was a bridge; the checks say that it is missing.
    return [];
  }
}

/** Helpers that hold files of a pod which is not there. */
export function leakedProcesses(roots: Roots, known: Known): Leak[] {
  return processes().flatMap(({ pid, start, command }): Leak[] => {
    if (!isHelper(command)) return [];
    const pod = openFiles(pid)
      .map(({ target }) => firstBelow(join(roots.state, 'pods'), target))
      .find((uid) => uid !== undefined);
    if (pod === undefined || known.pods.has(pod)) return [];
    const detail = `${command.slice(0, 2).join(' ')} of a pod that is not there`;
    return [{ kind: 'process', what: String(pid), pod, detail, start }];
  });
}

export function isHelper(command: readonly string[]): boolean {
  return command[0]?.split(sep).at(-1) === 'minirt-helper';
}

/** The first name of `path` below `place`. */
export function firstBelow(place: string, path: string): string | undefined {
  return path.startsWith(`${place}/`) ? path.slice(place.length + 1).split('/')[0] : undefined;
}
