import { type FSWatcher, watch } from 'node:fs';
import { abortReason } from '../base/clock.ts';
import { isErrno } from '../base/errors.ts';

/** Tells that something happened in some folders. A change between two calls of `next` is not lost. */
export class Changes implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = false;
  #wake: (() => void) | undefined;

  /** Watches one more folder; answers false when it is not there (yet). */
  add(folder: string): boolean {
    if (this.#watchers.has(folder)) return true;
    try {
      const watcher = watch(folder, () => {
        this.poke();
      });
      watcher.on('error', () => {
        this.remove(folder);
      });
      this.#watchers.set(folder, watcher);
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
  }

  remove(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
    this.poke();
  }

  /** As if something had changed. */
  poke(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Resolves at the next change, or at once if there was one since the last call. Rejects when aborted. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(abortReason(signal));
        const abort = (): void => {
          reject(abortReason(signal));
        };
        signal.addEventListener('abort', abort, { once: true });
        this.#wake = () => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#changed = false;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
