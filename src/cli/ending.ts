import type { JournalEntry } from '../pod/journal-entry.ts';
import type { StopRequest } from '../pod/stop.ts';
import type { PodView } from '../pod/view.ts';
import { connectOwner } from '../supervisor/client.ts';
import { integerOption } from './duration.ts';
import { tell } from './io.ts';
import { endingLines } from './render/ending.ts';
import { podEntries } from './stream.ts';
import type { Context, OptionSpec } from './verb.ts';

export const graceOptions: readonly OptionSpec[] = [
  {
    flags: '--grace-period <seconds>',
    text: "instead of the pod's own terminationGracePeriodSeconds; -1 means that one",
    parse: integerOption('--grace-period', -1),
  },
  { flags: '--now', text: 'a grace period of 1 s' },
];

export interface GraceOptions {
  readonly gracePeriod?: number;
  readonly now?: boolean;
}

/** Seconds that were asked for; undefined: the pod's own. */
export function graceOf({ gracePeriod, now }: GraceOptions): number | undefined {
  if (now === true) return 1;
  return gracePeriod === undefined || gracePeriod < 0 ? undefined : gracePeriod;
}

/** Ends a pod that is not over yet and waits until nothing of it is left; tells how each container went. */
export async function endPod(context: Context, view: PodView, request: StopRequest): Promise<readonly JournalEntry[]> {
  const journal: JournalEntry[] = [];
  // Should the owner die, the next one is asked again: a second request never makes an end later.
  for await (const entry of podEntries(context, view, 1, (owner) => owner.terminate(request))) journal.push(entry);
  for (const line of endingLines(journal, view.pod.containers)) tell(context.io, line);
  return journal;
}

/** Asks for the end and returns at once. */
export async function requestEnd({ roots, io }: Context, view: PodView, request: StopRequest): Promise<void> {
  const owner = await connectOwner(roots, view, io.signal);
  try {
    await owner.terminate(request);
  } finally {
    owner.close();
  }
}
