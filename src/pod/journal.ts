import { closeSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { JournalEntry, Note } from './journal-entry.ts';

type Listener = (entry: JournalEntry) => void;

/** The writer of one pod's journal: there is one, the pod's owner. Each line is one write, so a crash loses at most the last. */
export class Journal implements Disposable {
  readonly #clock: Clock;
  readonly #fd: number;
  readonly #listeners = new Set<Listener>();
  #seq: number;

  constructor(path: string, clock: Clock) {
    this.#clock = clock;
    this.#seq = mend(path);
    this.#fd = openSync(path, 'a', 0o600);
  }

  append(note: Note): JournalEntry {
    const entry = {
      seq: ++this.#seq,
      t: this.#clock.now().toString(),
      wall: this.#clock.wall().toISOString(),
      ...note,
    } as JournalEntry;
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  /** Calls `listener` for every entry from now on; returns the way to stop that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** Cuts off what a crash left half-written and returns the last number in use. */
function mend(path: string): number {
  const fd = openSync(path, 'a+', 0o600);
  closeSync(fd);
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf('\n') + 1;
  if (end < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, end)));
  const last = text.slice(0, end).trimEnd().split('\n').at(-1);
  return last === undefined || last === '' ? 0 : (JSON.parse(last) as JournalEntry).seq;
}
