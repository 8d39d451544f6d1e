import type { PullProgress } from '../../image/registry/pull.ts';
import { humanSize } from '../bytes.ts';

/** Between two drawings of a line, in ms. */
const PACE = 100;

/** What is told of a pull while it goes on: one line that changes on a terminal, else a line for each layer that has come. */
export class PullReport {
  readonly #name: string;
  readonly #terminal: boolean;
  readonly #write: (text: string) => void;
  readonly #left = new Map<string, number>();
  #total = 0;
  #done = 0;
  #drawn = 0;

  constructor(name: string, terminal: boolean, write: (text: string) => void) {
    this.#name = name;
    this.#terminal = terminal;
    this.#write = write;
  }

  take(progress: PullProgress): void {
    switch (progress.kind) {
      case 'layers':
        for (const { digest, size } of progress.layers) {
          this.#left.set(digest, size);
          this.#total += size;
        }
        return this.#terminal ? this.#draw() : this.#line(`${progress.layers.length} layers to bring`);
      case 'bytes':
        return this.#bytes(progress.digest, progress.count);
      case 'unpack':
        return this.#terminal ? this.#write(`\r\u001b[K${this.#name}: unpacking`) : undefined;
      default:
        return progress satisfies never;
    }
  }

  /** Leaves the terminal with an empty line. */
  end(): void {
    if (this.#terminal) this.#write('\r\u001b[K');
  }

  #bytes(digest: string, count: number): void {
    const left = (this.#left.get(digest) ?? 0) - count;
    this.#left.set(digest, left);
    this.#done += count;
    if (this.#terminal) return this.#draw();
    if (left === 0) this.#line(`${digest.slice(7, 19)}: pull complete`);
  }

  #line(text: string): void {
    this.#write(`${this.#name}: ${text}\n`);
  }

  #draw(): void {
    const now = performance.now();
    if (now - this.#drawn < PACE) return;
    this.#drawn = now;
    const part = this.#total === 0 ? 1 : Math.min(this.#done / this.#total, 1);
    const bar = '='.repeat(Math.round(part * 30)).padEnd(30);
    this.#write(`\r\u001b[K${this.#name}: [${bar}] ${humanSize(this.#done)} / ${humanSize(this.#total)}`);
  }
}
