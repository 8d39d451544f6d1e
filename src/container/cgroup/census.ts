import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMinirtError } from '../../base/errors.ts';
import { readMountinfo } from '../../sys/mountinfo.ts';
import { stateTag } from '../../sys/state-tag.ts';
import { findHierarchies } from './hierarchy.ts';
import type { Hierarchies } from './hierarchy.ts';
import { killUnified, killWithFreezer } from './killer.ts';
import { Patience, childrenOf, descendants, processesIn, removeEmpty } from './tree.ts';

/** How long a cgroup may take to go once everything in it was killed. */
const CLEAR_LIMIT_MS = 5000;

/** A cgroup that some owner of a state folder made for a pod, or the top-level one of that state folder. */
export interface FoundCgroup {
  readonly path: string;
  /** Undefined for a top-level cgroup without pods. */
  readonly pod: string | undefined;
  readonly pids: readonly number[];
}

/** The host's cgroup hierarchies; undefined when it has none that containers can be kept in. Changes nothing. */
export function hostHierarchies(): Hierarchies | undefined {
  try {
    return findHierarchies(readMountinfo(), readFileSync('/proc/self/cgroup', 'utf8'));
  } catch (error) {
    if (isMinirtError(error, 'host.no-cgroup')) return undefined;
    throw error;
  }
}

/** Pods' cgroups on all hierarchies, under every owner there ever was for this state folder (undefined: for any). */
export function findPodCgroups(state: string | undefined): FoundCgroup[] {
  const tag = state === undefined ? '[0-9a-f]{8}' : stateTag(state);
  const top = new RegExp(`^minirt-${tag}$`);
  const unit = new RegExp(`^minirt-${tag}(-.*)?\\.(service|scope)$`);
  return mountedHierarchies().flatMap((dir) => {
    const tops = childrenOf(dir)
      .filter((name) => top.test(name))
      .map((name) => join(dir, name));
    const slice = join(dir, 'minirt.slice');
    const units = childrenOf(slice)
      .filter((name) => unit.test(name))
      .map((name) => join(slice, name));
    return [...tops.flatMap((path) => podsOrItself(path)), ...units.flatMap(podsIn)];
  });
}

function mountedHierarchies(): string[] {
  const found = hostHierarchies();
  const all = [found?.unified, found?.freezer, found?.devices, ...(found?.controllers.values() ?? [])];
  return [...new Set(all.flatMap((hierarchy) => hierarchy?.dir ?? []))];
}

function podsOrItself(path: string): FoundCgroup[] {
  const pods = podsIn(path);
  return pods.length > 0 ? pods : [{ path, pod: undefined, pids: processesIn(path) }];
}

function podsIn(parent: string): FoundCgroup[] {
  return childrenOf(parent)
    .filter((name) => name.startsWith('pod'))
    .map((name) => ({ path: join(parent, name), pod: name.slice(3), pids: processesIn(join(parent, name)) }));
}

/**
 * Ends and removes a cgroup that a census found, and its top-level cgroup when it was the last in it. Rejects with
 * `deadline.exceeded` when it stays: what is in a v1 hierarchy without a freezer must end by other means.
 */
export async function clearCgroup(path: string): Promise<void> {
  const found = hostHierarchies();
  const isBelow = (hierarchy: { readonly dir: string } | undefined): boolean =>
    hierarchy !== undefined && path.startsWith(`${hierarchy.dir}/`);
  const patience = new Patience(`remove cgroup: ${path}`, CLEAR_LIMIT_MS);
  for (;;) {
    if (isBelow(found?.unified)) await killUnified(path);
    else if (isBelow(found?.freezer)) await killWithFreezer(path);
    const left = descendants(path).filter((dir) => !removeEmpty(dir));
    if (left.length === 0) break;
    await patience.wait(() => `not empty: ${left.join(' ')}`);
  }
  const parent = dirname(path);
  if (/\/minirt-[0-9a-f]{8}$/.test(parent)) removeEmpty(parent);
}
