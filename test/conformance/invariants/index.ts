import type { Pod } from '../../../src/manifest/pod.ts';
import type { JournalEntry } from '../../../src/pod/journal-entry.ts';
import { type EntryOf, entriesOf } from '../observed.ts';
import { hookLaws } from './hooks.ts';
import { type Life, livesOf, secondsOf } from './lives.ts';
import { restartLaws } from './restarts.ts';
import { stopLaws } from './stops.ts';

export interface Circumstances {
  /** Owners died meanwhile: the next ones may have said again what these had said, and may have come late. */
  readonly ownersDied?: boolean;
}

/** What every law looks at. */
export interface Story {
  readonly pod: Pod;
  readonly entries: readonly JournalEntry[];
  /** In the order of their beginnings. */
  readonly lives: readonly Life[];
  readonly terminates: readonly EntryOf<'terminate'>[];
  readonly ownersDied: boolean;
}

/**
 * Every violation of the lifecycle's laws in the whole journal of a pod that has ended; none for a good one. The laws are
 * counted out here once more, from the journal alone: nothing of `src/pod` decides what is right.
 */
export function violations(pod: Pod, entries: readonly JournalEntry[], circumstances: Circumstances = {}): string[] {
  const ownersDied = circumstances.ownersDied === true;
  const { all, problems } = livesOf(pod, entries, { ownersDied });
  const story = { pod, entries, lives: all, terminates: entriesOf(entries, 'terminate'), ownersDied };
  return [
    ...problems,
    ...counted(entries),
    ...inOrderOfTime(entries),
    ...endedLast(entries),
    ...all.flatMap(shownEnd),
    ...startedInTime(story),
    ...hookLaws(story),
    ...stopLaws(story),
    ...restartLaws(story),
  ];
}

function counted(entries: readonly JournalEntry[]): string[] {
  const wrong = entries.findIndex(({ seq }, index) => seq !== index + 1);
  return wrong < 0 ? [] : [`seq: ${entries[wrong]?.seq} stands where ${wrong + 1} should`];
}

function inOrderOfTime(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap(({ t, seq }, index) => {
    const before = entries[index - 1]?.t;
    return before !== undefined && BigInt(t) < BigInt(before) ? [`t: entry ${seq} is earlier than the one before`] : [];
  });
}

/** After its end nothing happens to a pod: only what it looks like from then on is told. */
function endedLast(entries: readonly JournalEntry[]): string[] {
  const [end, ...more] = entriesOf(entries, 'ended');
  if (end === undefined || more.length > 0) return [`the pod ended ${more.length + (end === undefined ? 0 : 1)} times`];
  const after = entries.slice(entries.indexOf(end) + 1).filter(({ kind }) => kind !== 'state' && kind !== 'phase');
  const last = entriesOf(entries, 'phase').at(-1)?.phase;
  return [
    ...after.map(({ kind, seq }) => `entry ${seq}: ${kind} after the pod had ended`),
    ...(last === end.phase ? [] : [`the pod ended ${end.phase}, and is called ${last ?? 'nothing'}`]),
  ];
}

/** Every end is seen by those who look at the pod, with its exit code. */
function shownEnd({ spec, started, end, states }: Life): string[] {
  if (end === undefined) return started === undefined ? [] : [`${spec.name} was started and never ended`];
  const [shown] = states;
  const code = end.entry?.exitCode;
  if (code === undefined) return [];
  if (shown === undefined) return [`${spec.name} ended with ${code} and no state tells of it`];
  if (shown.state === 'running') return [`${spec.name} ended with ${code} and still is called running`];
  if (shown.state === 'waiting' || shown.exitCode === code) return [];
  return [`${spec.name} ended with ${code}, its state says ${shown.exitCode}`];
}

/** Nothing is started once the pod was asked to end, but what was about to be. */
function startedInTime({ entries, lives }: Story): string[] {
  const asked = entries.findIndex(({ kind }) => kind === 'terminate');
  if (asked < 0) return [];
  const since = secondsOf(entries[asked]?.t ?? '0');
  return lives
    .filter(({ index, started }) => index > asked && started !== undefined)
    .map(
      ({ spec, started = 0 }) => `${spec.name} was started ${(started - since).toFixed(3)} s after the pod's end began`,
    );
}
