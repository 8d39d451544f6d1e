import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdUnit, stepIntoLeaf, stopUnit } from './systemd.ts';
import { childrenOf } from './tree.ts';

/**
 * A unit of systemd's for those pods of a supervisor that have limits. In the supervisor's own unit they could not be: a
 * cgroup that hands controllers down takes no processes, so systemd (before 254) could not start a supervisor there again
 * that was killed (status 219).
 */
export class PodsUnit {
  readonly dir: string;
  readonly #unit: string;
  #turn: Promise<void> = Promise.resolve();

  /** `slice`: folder of minirt's slice. */
  constructor(slice: string, unit: string) {
    this.#unit = unit;
    this.dir = join(slice, unit);
  }

  /** Has the unit there while `make` makes something in it. */
  within(make: () => void): Promise<void> {
    return this.#next(async () => {
      if (!existsSync(this.dir)) {
        await holdUnit(this.#unit, this.dir);
        await stepIntoLeaf(this.dir);
      }
      make();
    });
  }

  /** Ends the unit once no pod is in it. */
  leave(): Promise<void> {
    return this.#next(async () => {
      if (!existsSync(this.dir) || childrenOf(this.dir).some((name) => name.startsWith('pod'))) return;
      await stopUnit(this.#unit, this.dir);
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
