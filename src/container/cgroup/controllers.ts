import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';
import type { Hierarchies } from './hierarchy.ts';
import { type Controller, type Knob, type Level, type Limits, unifiedKnobs, v1Knobs } from './limits.ts';

/** A cgroup that limits are set for, by its folder where containers are killed. */
export interface Place {
  /** From here down controllers may be handed on: the root, or the unit that systemd delegated. */
  readonly top: string;
  readonly dir: string;
  readonly level: Level;
}

/** Where each controller of the host is: in the unified hierarchy, in one of cgroup v1's, or nowhere. */
export class Controllers {
  readonly #found: Hierarchies;
  readonly #main: string;
  readonly #unified: ReadonlySet<string>;

  /** `main`: the root of the hierarchy that folders are given in. */
  constructor(found: Hierarchies, main: string) {
    this.#found = found;
    this.#main = main;
    this.#unified = new Set(found.unified === undefined ? [] : listIn(found.unified.dir, 'cgroup.controllers'));
  }

  has(controller: Controller): boolean {
    return this.#unified.has(controller) || this.#found.controllers.has(controller);
  }

  /** The folder with a controller's files of a cgroup; undefined where the host has no such controller. */
  folderOf(controller: Controller, dir: string): string | undefined {
    if (this.#unified.has(controller)) return dir;
    const hierarchy = this.#found.controllers.get(controller)?.dir;
    return hierarchy === undefined ? undefined : join(hierarchy, relative(this.#main, dir));
  }

  /** Folders of the same cgroup in the v1 hierarchies of these controllers. */
  beside(dir: string, controllers: Iterable<Controller> = this.#found.controllers.keys()): readonly string[] {
    const folders = [...controllers].flatMap((one) => (this.#unified.has(one) ? [] : (this.folderOf(one, dir) ?? [])));
    return [...new Set(folders)];
  }

  /** The v1 hierarchies with these folders, by the controllers in each. */
  shown(folders: readonly string[]): readonly (readonly string[])[] {
    const all = [...this.#found.controllers.values()].filter(({ dir }) =>
      folders.some((folder) => folder.startsWith(`${dir}/`)),
    );
    return [...new Map(all.map(({ dir, names }) => [dir, names])).values()];
  }

  /** The controllers that any of these limits are kept by. */
  neededFor(...limits: readonly Limits[]): ReadonlySet<Controller> {
    return new Set(limits.flatMap((one) => this.#knobs(one, 'container').map(({ controller }) => controller)));
  }

  /** Gives a pod that asks for no CPU time as little as those that do leave it. */
  weighLeast(dir: string): void {
    const knob = join(dir, 'cpu.weight');
    if (existsSync(knob)) writeFileSync(knob, '1', { flag: 'r+' });
  }

  /**
   * Sets the limits of a cgroup whose folders are there. What is only a wish is left out where it cannot be had. Throws
   * `host.no-controller` for a limit that nobody would keep.
   */
  apply(place: Place, limits: Limits): void {
    for (const knob of this.#knobs(limits, place.level)) {
      try {
        this.#turn(knob, place);
      } catch (error) {
        if (knob.need === 'wish' || (knob.need === 'detail' && isErrno(error, 'ENOENT'))) continue;
        throw this.#refusal(knob, error);
      }
    }
  }

  #knobs(limits: Limits, level: Level): readonly Knob[] {
    const isUnified = ({ controller }: Knob): boolean => this.#unified.has(controller);
    return [...unifiedKnobs(limits, level).filter(isUnified), ...v1Knobs(limits).filter((knob) => !isUnified(knob))];
  }

  #turn({ controller, file, value }: Knob, { top, dir }: Place): void {
    const folder = this.folderOf(controller, dir);
    if (folder === undefined) throw new Error(`there is no ${controller} controller`);
    // systemd does not know this controller, so it neither delegates nor takes it away (runc does the same).
    const from = controller === 'hugetlb' ? this.#main : top;
    if (this.#unified.has(controller)) handDown(controller, from, dirname(dir));
    // Not O_CREAT: cgroupfs answers that with EACCES where ENOENT is meant.
    writeFileSync(join(folder, file), value, { flag: 'r+' });
  }

  #refusal({ controller, file }: Knob, error: unknown): MinirtError {
    const what = `limit ${controller}: ${file}: ${messageOf(error)}`;
    const hint = {
      v2: `cgroup.controllers and cgroup.subtree_control must have ${controller} from the root to minirt's cgroup`,
      hybrid: `mount the v1 controller: mount -t cgroup -o ${controller} ${controller} /sys/fs/cgroup/${controller}`,
      v1: `mount the v1 controller: mount -t cgroup -o ${controller} ${controller} /sys/fs/cgroup/${controller}`,
    }[this.#found.mode];
    return new MinirtError('host.no-controller', `${what} (cgroup ${this.#found.mode})`, { cause: error, hint });
  }
}

/** Gives children of every cgroup from `top` to `dir` the controller; those have no processes of their own. */
function handDown(controller: Controller, top: string, dir: string): void {
  const inside = relative(top, dir);
  const steps = inside === '' ? [] : inside.split('/');
  for (let at = 0; at <= steps.length; at++) {
    const folder = join(top, ...steps.slice(0, at));
    if (listIn(folder, 'cgroup.subtree_control').includes(controller)) continue;
    writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`, { flag: 'r+' });
  }
}

function listIn(dir: string, file: string): readonly string[] {
  return readFileSync(join(dir, file), 'utf8').trim().split(' ');
}
