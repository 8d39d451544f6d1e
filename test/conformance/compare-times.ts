import type { JournalEntry } from '../../src/pod/journal-entry.ts';
import { type EntryOf, entriesOf } from './observed.ts';
import type { Expectation, Recording } from './recording.ts';

/** How much later than allowed something may be, for the machine's own sake. */
const LATE_SECONDS = 0.3;
/** A signal is stamped when the monitor sent it, the deadline counts from when it was asked to. */
const ASKED_SECONDS = 0.1;
/** Between the stop signal and SIGKILL (kuberuntime_container.go: minimumGracePeriodInSeconds). */
const MINIMUM_SECONDS = 2;

/** What came too early or too late, by the monotonic stamps of the journal. */
export function timeDifferences(recording: Recording, expect: Expectation, entries: readonly JournalEntry[]): string[] {
  const asked = entriesOf(entries, 'terminate')[0];
  const deleted = asked === undefined ? undefined : Number(asked.t) / 1e9;
  return [
    ...(deleted === undefined ? [] : lastDeath(expect, entries, deleted)),
    ...entriesOf(entries, 'signal')
      .filter((entry) => entry.signal === 'SIGKILL')
      .flatMap((kill) => earlyKill(kill, { recording, entries, deleted })),
  ];
}

function lastDeath({ deleteSeconds }: Expectation, entries: readonly JournalEntry[], deleted: number): string[] {
  if (deleteSeconds === undefined) return [];
  const exits = entriesOf(entries, 'exit').map((entry) => Number(entry.at) / 1e9);
  if (exits.length === 0) return ['time: no container was seen to end'];
  const took = Math.max(...exits) - deleted;
  const [least, most] = deleteSeconds;
  if (took < least) return [`time: the last container ended ${took.toFixed(3)} s after the delete, before ${least} s`];
  if (took <= most + LATE_SECONDS) return [];
  return [`time: the last container ended ${took.toFixed(3)} s after the delete, later than ${most} s`];
}

/** SIGKILL comes neither within two seconds of the stop signal nor before the grace period is over. */
function earlyKill(
  kill: EntryOf<'signal'>,
  about: { recording: Recording; entries: readonly JournalEntry[]; deleted: number | undefined },
): string[] {
  const { recording, entries, deleted } = about;
  const at = Number(kill.at) / 1e9;
  const sent = entriesOf(entries, 'signal').findLast(
    (entry) => entry.container === kill.container && entry.signal !== 'SIGKILL' && Number(entry.at) / 1e9 <= at,
  );
  if (sent === undefined) return [`time: SIGKILL to ${kill.container} without a stop signal before it`];
  const stop = Number(sent.at) / 1e9;
  if (at < stop + MINIMUM_SECONDS - ASKED_SECONDS) {
    return [`time: SIGKILL to ${kill.container} ${(at - stop).toFixed(3)} s after the stop signal`];
  }
  // One that was being stopped for another reason counts from there.
  if (deleted === undefined || stop < deleted) return [];
  const grace = graceOf(recording);
  if (at >= deleted + grace) return [];
  return [`time: SIGKILL to ${kill.container} ${(at - deleted).toFixed(3)} s after the delete, within the ${grace} s`];
}

function graceOf({ pod, steps }: Recording): number {
  const step = steps.find((one) => one[0] === 'delete');
  return Math.max(1, step?.[1] ?? pod.spec.terminationGracePeriodSeconds ?? 30);
}
