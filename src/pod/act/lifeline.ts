import { type Clock, type MonoNs } from '../../base/clock.ts';
import { MinirtError } from '../../base/errors.ts';
import type { Live } from './live.ts';

/** Ends what is done for a container when that is gone, or when one of the given signals ends it earlier. */
export class Lifeline implements Disposable {
  readonly #controller = new AbortController();
  readonly #ends: readonly AbortSignal[];
  readonly #cut = (): void => {
    this.#controller.abort(new MinirtError('aborted', 'nobody waits any more'));
  };
  #gone = false;
  #over = false;

  constructor(options: {
    readonly clock: Clock;
    /** undefined: the container is gone. */
    readonly live: Live | undefined;
    readonly ends: readonly AbortSignal[];
    /** How long after its container it may still last. */
    readonly linger: MonoNs;
  }) {
    const { clock, live, linger } = options;
    this.#ends = options.ends;
    // Not AbortSignal.any: with a signal that lives as long as the owner it never lets go (nodejs/node#54614).
    for (const end of this.#ends) {
      if (end.aborted) this.#cut();
      end.addEventListener('abort', this.#cut, { once: true });
    }
    if (live === undefined) {
      this.#gone = true;
      this.#cut();
    }
    void live?.gone.then(() => {
      this.#gone = true;
      if (linger === 0n) this.#cut();
      else if (!this.#over) clock.at(clock.now() + linger, this.#cut);
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the container is gone. */
  get isGone(): boolean {
    return this.#gone;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const end of this.#ends) end.removeEventListener('abort', this.#cut);
  }
}
