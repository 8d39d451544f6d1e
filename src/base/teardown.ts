import { MinirtError, messageOf } from './errors.ts';

type Undo = () => void | Promise<void>;

/**
 * Undo steps of something that is being built up. Runs them in reverse order, tries every one, and names those that
 * failed. `move()` hands them to the next owner once the build-up succeeded.
 */
export class Teardown implements AsyncDisposable {
  #steps: { readonly what: string; readonly undo: Undo }[] = [];

  add(what: string, undo: Undo): void {
    this.#steps.push({ what, undo });
  }

  /** A new Teardown with all the steps; this one is left empty. */
  move(): Teardown {
    const next = new Teardown();
    next.#steps = this.#steps;
    this.#steps = [];
    return next;
  }

  async run(): Promise<void> {
    const failed: { what: string; error: unknown }[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        failed.push({ what: step.what, error });
      }
    }
    if (failed.length > 0) {
      const list = failed.map(({ what, error }) => `${what}: ${messageOf(error)}`).join('; ');
      throw new MinirtError('internal', `undo: ${list}`, { cause: failed[0]?.error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run();
  }
}
