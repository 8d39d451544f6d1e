import { type CriEntry, fixedTime } from '../../base/cri.ts';

export interface PrinterOptions {
  readonly timestamps: boolean;
  /** Unix time in ms; entries before it are left out. */
  readonly since: number | undefined;
  /** Written before every line. With one, a line is printed only when it is whole: others write between. */
  readonly prefix: string;
}

const NEWLINE = Buffer.from('\n');

/** Turns entries into what is printed; partial ones are joined as kubectl does. */
export class LogPrinter {
  readonly #options: PrinterOptions;
  #atLineStart = true;
  #held: Buffer[] = [];

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  print(entry: CriEntry): Buffer {
    const { since, timestamps, prefix } = this.#options;
    if (since !== undefined && Date.parse(entry.time) < since) return Buffer.alloc(0);
    const parts: Buffer[] = [];
    if (this.#atLineStart) parts.push(Buffer.from(prefix + (timestamps ? `${fixedTime(entry.time)} ` : '')));
    parts.push(entry.content);
    if (!entry.partial) parts.push(NEWLINE);
    this.#atLineStart = !entry.partial;
    if (prefix === '') return Buffer.concat(parts);
    this.#held.push(...parts);
    return entry.partial ? Buffer.alloc(0) : this.#release();
  }

  /** What is still held back when the log ends; a prefixed line is ended, so that the next one starts its own. */
  end(): Buffer {
    if (this.#held.length > 0) this.#held.push(NEWLINE);
    return this.#release();
  }

  #release(): Buffer {
    const text = Buffer.concat(this.#held);
    this.#held = [];
    return text;
  }
}

/** Keeps the last `count` lines; a line in several parts is one. */
export class Tail {
  readonly #count: number;
  #lines: CriEntry[][] = [];
  #open = false;

  constructor(count: number) {
    this.#count = count;
  }

  push(entry: CriEntry): void {
    if (this.#open) this.#lines.at(-1)?.push(entry);
    else this.#lines.push([entry]);
    this.#open = entry.partial;
    if (this.#lines.length > this.#count + 1) this.#lines = this.#lines.slice(-this.#count - 1);
  }

  entries(): readonly CriEntry[] {
    return this.#count === 0 ? [] : this.#lines.slice(-this.#count).flat();
  }
}
