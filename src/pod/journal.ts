import { closeSync, fstatSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { writeAtomically } from '../state/files.ts';
import { compacted } from './compact.ts';
import type { JournalEntry, Note } from './journal-entry.ts';

type Listener = (entry: JournalEntry) => void;

/** How long a journal may become, and how much of it stays as it is when it is compacted. */
export interface JournalLimits {
  readonly bytes: number;
  readonly recent: number;
}

const LIMITS: JournalLimits = { bytes: 4 << 20, recent: 2_000 };

/**
 * The writer of one pod's journal: there is one, the pod's owner. Each line is one write, so a crash loses at most the
 * last. One that became too long is replaced by a short one as a whole; whoever reads it has the old one or the new.
 */
export class Journal implements Disposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #limits: JournalLimits;
  readonly #listeners = new Set<Listener>();
  #fd: number;
  #seq: number;
  #bytes: number;
  /** When to look again whether it is too long. */
  #limit: number;

  constructor(path: string, clock: Clock, limits: JournalLimits = LIMITS) {
    this.#path = path;
    this.#clock = clock;
    this.#limits = limits;
    this.#limit = limits.bytes;
    this.#seq = mend(path);
    this.#fd = openSync(path, 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  append(note: Note): JournalEntry {
    const entry = {
      seq: ++this.#seq,
      t: this.#clock.now().toString(),
      wall: this.#clock.wall().toISOString(),
      ...note,
    } as JournalEntry;
    this.#bytes += writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
    if (this.#bytes > this.#limit) this.#compact();
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

  #compact(): void {
    const entries = readFileSync(this.#path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JournalEntry);
    const lines = compacted(entries, this.#limits.recent).map((entry) => `${JSON.stringify(entry)}\n`);
    writeAtomically(this.#path, lines.join(''));
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
    // What is left may be long in itself: then not every entry is worth another look.
    this.#limit = Math.max(this.#limits.bytes, 2 * this.#bytes);
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
