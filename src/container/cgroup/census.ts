import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMinirtError } from '../../base/errors.ts';
import { readMountinfo } from '../../sys/mountinfo.ts';
import { stateTag } from '../../sys/state-tag.ts';
import { findHierarchies } from './hierarchy.ts';
import type { Hierarchies } from './hierarchy.ts';
import { killUnified, killWithFreezer } from './killer.ts';
import { childrenOf, descendants, processesIn, removeEmpty } from './tree.ts';

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
  return [found?.unified, found?.freezer, found?.devices].flatMap((hierarchy) => hierarchy?.dir ?? []);
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

/** Ends and removes a cgroup that a census found, and its top-level cgroup when it was the last in it. */
export async function clearCgroup(path: string): Promise<void> {
  const found = hostHierarchies();
  const unified = found?.unified !== undefined && path.startsWith(`${found.unified.dir}/`);
  const freezer = found?.freezer !== undefined && path.startsWith(`${found.freezer.dir}/`);
  if (unified) await killUnified(path);
  else if (freezer) await killWithFreezer(path);
  for (const dir of descendants(path)) removeEmpty(dir);
  const parent = join(path, '..');
  if (/\/minirt-[0-9a-f]{8}$/.test(parent)) removeEmpty(parent);
}
