import type { PodEngine } from '../pod/engine.ts';
import type { JournalEntry } from '../pod/journal-entry.ts';
import { readJournal } from '../pod/view.ts';

interface WatchOptions {
  readonly journal: string;
  /** First entry that is wanted. */
  readonly from: number;
  /** Aborted when the pod is over and released. */
  readonly over: AbortSignal;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** A pod's journal from an entry on, live, until the pod is over: nothing twice, nothing left out. */
export async function* watchJournal(engine: PodEngine, options: WatchOptions): AsyncGenerator<JournalEntry> {
  const { over, signal } = options;
  const inbox: JournalEntry[] = [];
  let wake: (() => void) | undefined;
  const rouse = (): void => wake?.();
  const stop = engine.listen((entry) => {
    inbox.push(entry);
    rouse();
  });
  over.addEventListener('abort', rouse);
  signal.addEventListener('abort', rouse);
  try {
    let next = options.from;
    for (const entry of await readJournal(options.journal)) {
      if (entry.seq < next) continue;
      next = entry.seq + 1;
      yield entry;
    }
    while (!signal.aborted) {
      for (let entry = inbox.shift(); entry !== undefined; entry = inbox.shift()) {
        if (entry.seq < next) continue;
        next = entry.seq + 1;
        yield entry;
      }
      if (over.aborted || signal.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (inbox.length > 0 || over.aborted || signal.aborted) resolve();
      });
    }
  } finally {
    stop();
    over.removeEventListener('abort', rouse);
    signal.removeEventListener('abort', rouse);
  }
}
