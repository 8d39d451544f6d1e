import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { MinirtError } from '../base/errors.ts';
import { underSystemd } from '../sys/host.ts';
import { readMountinfo } from '../sys/mountinfo.ts';
import { stateTag } from '../sys/state-tag.ts';
import { Controllers } from './cgroup/controllers.ts';
import { restrictDevices } from './cgroup/devices.ts';
import { containerFolder, makeFolder, podFolder } from './cgroup/folder.ts';
import { findHierarchies } from './cgroup/hierarchy.ts';
import type { Hierarchies, Hierarchy } from './cgroup/hierarchy.ts';
import { killUnified, killWithFreezer } from './cgroup/killer.ts';
import type { Kill } from './cgroup/killer.ts';
import type { Controller, Limits } from './cgroup/limits.ts';
import { PodsUnit } from './cgroup/pods-unit.ts';
import { SLICE, delegateSelf, delegatedUnit, stepIntoLeaf } from './cgroup/systemd.ts';
import { Patience, childrenOf, descendants, processesIn, removeEmpty } from './cgroup/tree.ts';
import { oomKills } from './cgroup/usage.ts';

export { delegateSelf } from './cgroup/systemd.ts';

/** How long removing may take once everything in the cgroup is dead. */
const REMOVE_LIMIT_MS = 10_000;

/** A container's cgroup below a top-level cgroup of ours, or below a unit. */
const CONTAINER_PATH = /\/(minirt-[0-9a-f]{8}|[^/]+\.(service|scope))\/pod[^/]+\/[0-9a-f]{12}$/;

/** The cgroup of one run of one container, on whatever hierarchies the host has. */
export interface ContainerCgroup {
  /** Names it for as long as the host is up, also under the unit of an owner that died: see `Cgroups.fromPath`. */
  readonly path: string;
  /** For the plan's `cgroup2`. */
  readonly cgroup2: string | undefined;
  /** For the plan's `cgroup1`. */
  readonly cgroup1: readonly string[];
  /** For the plan's `devices`; `all` where the v1 controller has been told already. */
  readonly devices: 'default' | 'all';
  /** The v1 hierarchies that keep its limits, by the controllers in each: it sees them in its /sys/fs/cgroup. */
  readonly shown: readonly (readonly string[])[];
  /** How many of its processes the kernel has killed for want of memory. */
  oomKills(): number;
  /** Everything in it, exec leaves included. */
  pids(): Promise<number[]>;
  /** SIGKILL to everything in it; resolves when empty. Rejects with `deadline.exceeded` when something will not die. */
  kill(): Promise<void>;
  /** Kills, then removes it and its leaves, and its pod's cgroup when it was the last one there. */
  remove(): Promise<void>;
}

export interface Cgroups {
  readonly mode: 'v1' | 'hybrid' | 'v2';
  /**
   * `devices`: `all` for a privileged container. `limits`: of its pod and of itself. Rejects with `host.no-controller`
   * when a limit cannot be kept here.
   */
  createContainer(
    podUid: string,
    containerId: string,
    devices?: 'default' | 'all',
    limits?: { readonly pod: Limits; readonly container: Limits },
  ): Promise<ContainerCgroup>;
  /** One that exists below this owner's cgroup. */
  container(podUid: string, containerId: string): ContainerCgroup;
  /** One that exists anywhere, by its persisted path; anything that is no container cgroup of ours is refused. */
  fromPath(path: string): ContainerCgroup;
  removePod(podUid: string): Promise<void>;
  /** Ends and removes everything below this owner's cgroup. */
  removeAll(): Promise<void>;
  describe(): CgroupFacts;
}

export interface CgroupFacts {
  readonly mode: 'v1' | 'hybrid' | 'v2';
  /** Where pods' cgroups are made. */
  readonly root: string;
  readonly kill: 'cgroup2' | 'freezer';
  readonly devices: 'bpf' | 'v1' | 'none';
  readonly systemd: boolean;
  readonly controllers: readonly Controller[];
}

export interface CgroupOptions {
  readonly state: string;
  readonly owner: 'supervisor' | 'foreground';
  /** The mount table to look for cgroups in; this process's by default. */
  readonly mountinfo?: string;
}

/**
 * Finds the host's cgroups and this owner's place in them. Under systemd that is the unit which systemd delegated to this
 * process; one in the foreground gets a scope. Else it is one top-level cgroup per state folder.
 * Rejects with `host.no-cgroup`.
 */
export async function openCgroups(options: CgroupOptions): Promise<Cgroups> {
  const find = (): Hierarchies =>
    findHierarchies(readMountinfo(options.mountinfo), readFileSync('/proc/self/cgroup', 'utf8'));
  let found = find();
  const tag = stateTag(options.state);
  let unit: string | undefined;
  if (underSystemd() && found.unified !== undefined) {
    unit = await ownUnit(found.unified);
    if (unit === undefined) {
      await delegateSelf('scope', `minirt-${tag}-${options.owner}-${process.pid}.scope`);
      found = find();
      unit = found.unified === undefined ? undefined : await ownUnit(found.unified);
    }
    if (unit === undefined) {
      throw new MinirtError('host.no-cgroup', `find own unit: ${found.unified?.own ?? 'no cgroup'}: not delegated`, {
        hint: 'run minirt in a unit with Delegate=yes',
      });
    }
    await stepIntoLeaf(unit);
  }
  const slice = unit !== undefined && options.owner === 'supervisor' ? found.unified : undefined;
  const apart = slice && new PodsUnit(join(slice.dir, SLICE), `minirt-${tag}-pods.service`);
  return new HostCgroups(found, { unit, apart, top: `minirt-${tag}` });
}

async function ownUnit(unified: Hierarchy): Promise<string | undefined> {
  return unified.own === undefined ? undefined : delegatedUnit(unified.own);
}

/** Where an owner keeps its pods. */
interface OwnPlaces {
  /** Folder of the unit that systemd delegated to it. */
  readonly unit: string | undefined;
  /** For pods with limits, if they cannot be there. */
  readonly apart: PodsUnit | undefined;
  /** Name of its top-level cgroup where there is no unit. */
  readonly top: string;
}

class HostCgroups implements Cgroups {
  readonly mode: 'v1' | 'hybrid' | 'v2';
  readonly #unit: string | undefined;
  readonly #apart: PodsUnit | undefined;
  /** Where containers are killed: cgroup2, else the freezer. */
  readonly #main: string;
  readonly #root: string;
  /** The v1 devices hierarchy, where there is no cgroup2 for the helper's program. */
  readonly #devices: string | undefined;
  readonly #kill: Kill;
  readonly #controllers: Controllers;

  constructor(found: Hierarchies, { unit, apart, top }: OwnPlaces) {
    const main = found.unified?.dir ?? found.freezer?.dir;
    if (main === undefined) throw new MinirtError('host.no-cgroup', 'open cgroups: neither cgroup2 nor freezer');
    this.mode = found.mode;
    this.#unit = unit;
    this.#apart = apart;
    this.#main = main;
    this.#root = unit ?? join(main, top);
    this.#devices = found.unified === undefined ? found.devices?.dir : undefined;
    this.#kill = found.unified === undefined ? killWithFreezer : killUnified;
    this.#controllers = new Controllers(found, main);
  }

  async createContainer(
    podUid: string,
    containerId: string,
    devices: 'default' | 'all' = 'default',
    limits?: { readonly pod: Limits; readonly container: Limits },
  ): Promise<ContainerCgroup> {
    const needed = limits === undefined ? [] : this.#controllers.neededFor(limits.pod, limits.container);
    const apart = limits === undefined ? undefined : this.#apart;
    const path = join(apart?.dir ?? this.#root, containerFolder(podUid, containerId));
    const leaf = this.#leaf(path, devices, needed);
    const make = (): void => {
      for (const dir of [leaf.path, ...leaf.cgroup1]) makeFolder(dir);
    };
    await (apart === undefined ? make() : apart.within(make));
    try {
      if (limits === undefined) this.#controllers.weighLeast(dirname(path));
      else this.#limit(leaf.path, limits);
    } catch (error) {
      await leaf.remove();
      throw error;
    }
    const own = this.#devices === undefined ? undefined : this.#beside(leaf.path, this.#devices);
    if (own !== undefined && devices === 'default') restrictDevices(own);
    return leaf;
  }

  container(podUid: string, containerId: string): ContainerCgroup {
    const apart = this.#apart && join(this.#apart.dir, containerFolder(podUid, containerId));
    const own = join(this.#root, containerFolder(podUid, containerId));
    return this.#leaf(apart !== undefined && existsSync(apart) ? apart : own, 'default');
  }

  fromPath(path: string): ContainerCgroup {
    const inside = relative(this.#main, resolve(path));
    if (!inside.startsWith('..') && CONTAINER_PATH.test(`/${inside}`)) return this.#leaf(resolve(path), 'default');
    throw new MinirtError('state.corrupt', `open cgroup: ${path}: not a container's below ${this.#main}`);
  }

  async removePod(podUid: string): Promise<void> {
    for (const top of this.#tops) await this.#remove(join(top, podFolder(podUid)));
    await this.#removeTop();
  }

  async removeAll(): Promise<void> {
    for (const top of this.#tops) {
      for (const name of childrenOf(top)) if (name.startsWith('pod')) await this.#remove(join(top, name));
    }
    await this.#removeTop();
  }

  describe(): CgroupFacts {
    const unified = this.#kill === killUnified;
    return {
      mode: this.mode,
      root: this.#root,
      kill: unified ? 'cgroup2' : 'freezer',
      devices: unified ? 'bpf' : this.#devices === undefined ? 'none' : 'v1',
      systemd: this.#unit !== undefined,
      controllers: (['cpu', 'memory', 'hugetlb'] as const).filter((one) => this.#controllers.has(one)),
    };
  }

  #limit(path: string, limits: { readonly pod: Limits; readonly container: Limits }): void {
    const top = this.#apart?.dir ?? this.#unit ?? this.#main;
    this.#controllers.apply({ top, dir: dirname(path), level: 'pod' }, limits.pod);
    this.#controllers.apply({ top, dir: path, level: 'container' }, limits.container);
  }

  #leaf(path: string, devices: 'default' | 'all', limited: Iterable<Controller> = []): ContainerCgroup {
    const unified = this.#kill === killUnified;
    const keepers = this.#controllers.beside(path, limited);
    const own = unified ? [] : [path, ...(this.#devices === undefined ? [] : [this.#beside(path, this.#devices)])];
    return {
      path,
      cgroup2: unified ? path : undefined,
      cgroup1: [...new Set([...own, ...keepers])],
      shown: this.#controllers.shown(keepers),
      oomKills: () => oomKills(this.#controllers.folderOf('memory', path)),
      devices: unified ? devices : 'all',
      pids: async () => processesIn(path),
      kill: () => this.#kill(path),
      remove: async () => {
        await this.#remove(path);
        for (const pod of this.#folders(dirname(path))) removeEmpty(pod);
        await this.#removeOwner(dirname(dirname(path)));
      },
    };
  }

  /** Ends and removes a cgroup with everything below it, on all hierarchies. */
  async #remove(path: string): Promise<void> {
    const patience = new Patience(`remove cgroup: ${path}`, REMOVE_LIMIT_MS);
    for (;;) {
      await this.#kill(path);
      // Every folder is tried: a leaf that its monitor removes at the same time is no obstacle to the rest.
      const left = this.#folders(path).flatMap((dir) => descendants(dir).filter((cgroup) => !removeEmpty(cgroup)));
      if (left.length === 0) return;
      await patience.wait(() => `not empty: ${left.join(' ')}`);
    }
  }

  /** The top-level cgroup goes with its last pod; a unit's is systemd's to remove. */
  async #removeTop(): Promise<void> {
    await this.#apart?.leave();
    if (this.#unit === undefined) for (const dir of this.#folders(this.#root)) removeEmpty(dir);
  }

  /** Of a dead owner nobody else would remove what its last container leaves; a living one is in it. */
  async #removeOwner(top: string): Promise<void> {
    if (this.#tops.includes(top)) return this.#removeTop();
    for (const dir of [join(top, 'owner'), ...this.#folders(top)]) removeEmpty(dir);
  }

  get #tops(): readonly string[] {
    return this.#apart === undefined ? [this.#root] : [this.#root, this.#apart.dir];
  }

  #folders(path: string): string[] {
    const beside = this.#devices === undefined ? [] : [this.#beside(path, this.#devices)];
    return [...new Set([path, ...beside, ...this.#controllers.beside(path)])];
  }

  #beside(path: string, hierarchy: string): string {
    return join(hierarchy, relative(this.#main, path));
  }
}
