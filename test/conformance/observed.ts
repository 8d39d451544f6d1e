import type { V1Pod } from '../../src/manifest/pod.ts';
import type { JournalEntry } from '../../src/pod/journal-entry.ts';

/** What minirt did when a recording was replayed. */
export interface Observed {
  /** The pod's whole journal. */
  readonly entries: readonly JournalEntry[];
  /** The pod as it was last. */
  readonly object: V1Pod;
  /** By container. */
  readonly logs: Readonly<Record<string, string>>;
  /** In the order of the steps. */
  readonly execs: readonly { readonly exit: number; readonly stdout: string; readonly stderr: string }[];
}

export type EntryOf<K extends JournalEntry['kind']> = Extract<JournalEntry, { kind: K }>;

export function entriesOf<K extends JournalEntry['kind']>(entries: readonly JournalEntry[], kind: K): EntryOf<K>[] {
  return entries.filter((entry): entry is EntryOf<K> => entry.kind === kind);
}
