import { setTimeout as delay } from 'node:timers/promises';
import type { JournalEntry } from '../../src/pod/journal-entry.ts';
import { readJournal } from '../../src/pod/view.ts';

const STEP_MS = 50;
const SHOWN = 5;

/** Waits until a pod's journal has an entry that is it, past or to come; throws with its last entries when time is up. */
export async function journalHas(
  path: string,
  { what, seconds }: { what: string; seconds: number },
  is: (entry: JournalEntry) => boolean,
): Promise<void> {
  for (const end = Date.now() + seconds * 1000; ; await delay(STEP_MS)) {
    const entries = await readJournal(path);
    if (entries.some(is)) return;
    if (Date.now() < end) continue;
    throw new Error(`not within ${seconds} s: ${what}; last: ${JSON.stringify(entries.slice(-SHOWN))}`);
  }
}
