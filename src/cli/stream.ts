import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { abortReason } from '../base/clock.ts';
import { isMinirtError } from '../base/errors.ts';
import type { JournalEntry } from '../pod/journal-entry.ts';
import { type PodView, readJournal } from '../pod/view.ts';
import { indexDir } from '../state/paths.ts';
import { connectOwner } from '../supervisor/client.ts';
import { Changes } from './changes.ts';
import { viewOrNothing } from './log/instance.ts';
import type { Context } from './verb.ts';

/** How often an owner may die while it is being listened to. */
const MOST_OWNERS = 5;

type Owner = Awaited<ReturnType<typeof connectOwner>>;

/**
 * A pod's journal from `fromSeq` on, live, until the pod is over (and after a delete gone). When the owner dies, goes on
 * with the next one. `greet` is called for each owner, before anything of it is read.
 */
export async function* podEntries(
  context: Context,
  view: PodView,
  fromSeq: number,
  greet: (owner: Owner) => Promise<void> = async () => undefined,
): AsyncGenerator<JournalEntry> {
  const { roots, io } = context;
  let next = fromSeq;
  for (let owners = 1; ; owners++) {
    const current = await viewOrNothing(roots, view.uid);
    if (current === undefined || current.record.ended !== undefined) break;
    try {
      for await (const entry of owned(context, view, next, greet)) {
        next = entry.seq + 1;
        yield entry;
      }
    } catch (error) {
      if (io.signal.aborted) throw abortReason(io.signal);
      if (!isMinirtError(error, 'supervisor.unreachable') || owners >= MOST_OWNERS) throw error;
    }
  }
  // What is on file of a pod that had ended before, or what an owner wrote last.
  for (const entry of await readJournal(view.paths.journal)) if (entry.seq >= next) yield entry;
}

async function* owned(
  { roots, io }: Context,
  view: PodView,
  from: number,
  greet: (owner: Owner) => Promise<void>,
): AsyncGenerator<JournalEntry> {
  const owner = await connectOwner(roots, view, io.signal);
  try {
    await greet(owner);
    yield* owner.watch(from);
  } finally {
    owner.close();
  }
}

/** {@link podEntries}, and then until the pod is gone. */
export async function* podEntriesUntilGone(context: Context, view: PodView): AsyncGenerator<JournalEntry> {
  yield* podEntries(context, view, 1);
  const { roots, io } = context;
  using changes = new Changes();
  const folder = indexDir(roots, view.namespace);
  changes.add(view.paths.dir);
  while (changes.add(folder) && existsSync(join(folder, view.name)) && existsSync(view.paths.dir)) {
    await changes.next(io.signal);
  }
}
