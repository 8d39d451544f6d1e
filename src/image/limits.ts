import { MinirtError } from '../base/errors.ts';

/** How much of the host one image may take while it comes in: what an archive unfolds to is its author's choice. */
export interface Limits {
  /** Members of all its layers. */
  readonly entries: number;
  /** Bytes of all its layers, unpacked. */
  readonly bytes: number;
  /** How many times its packed size a layer may be, once it is over {@link ALWAYS_FINE}. */
  readonly ratio: number;
}

/** Far above what people run: large images have some 300,000 members and 40 GB. */
export const DEFAULT_LIMITS: Limits = { entries: 1_000_000, bytes: 64 * 2 ** 30, ratio: 200 };

/** For what was let in before. */
export const NO_LIMITS: Limits = { entries: Infinity, bytes: Infinity, ratio: Infinity };

/** Below this a layer may be mostly zeros. */
const ALWAYS_FINE = 2 ** 30;

/** Counts what one image unfolds to, and ends it where it is too much. */
export class Meter {
  readonly #limits: Limits;
  #entries = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws MinirtError image.too-large */
  countEntry(): void {
    if (++this.#entries > this.#limits.entries)
      throw tooLarge(`more than ${this.#limits.entries} files`, '--max-files');
  }

  /**
   * Passes the bytes of a layer on that is `packed` bytes long.
   * @throws MinirtError image.too-large while reading
   */
  async *count(bytes: AsyncIterable<Uint8Array>, packed: number): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of bytes) {
      size += chunk.length;
      this.#bytes += chunk.length;
      if (this.#bytes > this.#limits.bytes) throw tooLarge(`more than ${this.#limits.bytes} bytes`, '--max-size');
      if (size > ALWAYS_FINE && size > packed * this.#limits.ratio)
        throw tooLarge(`a layer is more than ${this.#limits.ratio} times its packed size`, '--max-ratio');
      yield chunk;
    }
  }
}

function tooLarge(what: string, flag: string): MinirtError {
  return new MinirtError('image.too-large', `unpack image: ${what}`, {
    hint: `an image that you trust may be larger: ${flag}`,
  });
}
