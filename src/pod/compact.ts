import type { JournalEntry } from './journal-entry.ts';

/** Of more different events the oldest are forgotten: a probe may say something else each time. */
const MOST_EVENTS = 500;

type EventEntry = Extract<JournalEntry, { kind: 'event' }>;

/**
 * A journal that became long, made short: the latest `recent` entries as they are, and of those before them what is still
 * of use. Events are folded, so that what is derived from them (events.ts) does not change; of states, probes and hooks
 * the latest of each kind stays. One entry says how many are gone, in the place of the first of them.
 */
export function compacted(entries: readonly JournalEntry[], recent: number): readonly JournalEntry[] {
  const older = entries.slice(0, Math.max(0, entries.length - recent));
  const kept = latestOfEach(foldedEvents(older)).filter(({ kind }) => kind !== 'dropped');
  const stays = new Set(kept.map(({ seq }) => seq));
  const gone = older.filter(({ seq }) => !stays.has(seq));
  const [first] = gone;
  if (first === undefined) return entries;
  const count = gone.reduce((sum, entry) => sum + (entry.kind === 'dropped' ? entry.entries : 1), 0);
  const marker: JournalEntry = { seq: first.seq, t: first.t, wall: first.wall, kind: 'dropped', entries: count };
  return [...[marker, ...kept].sort((a, b) => a.seq - b.seq), ...entries.slice(older.length)];
}

/** What distinguishes one event from another; equal ones are told as one with a count. */
export function eventKey(entry: EventEntry): string {
  return JSON.stringify([entry.type, entry.reason, entry.message, entry.container]);
}

/** Equal events among the older ones become one, at the place and time of the last. */
function foldedEvents(older: readonly JournalEntry[]): readonly JournalEntry[] {
  const folded = new Map<string, EventEntry>();
  for (const entry of older) {
    if (entry.kind !== 'event') continue;
    const key = eventKey(entry);
    const one = folded.get(key);
    // The latest occurrence decides the place.
    folded.delete(key);
    folded.set(key, one === undefined ? entry : { ...entry, folded: joined(one, entry) });
  }
  const kept = new Map([...folded.values()].slice(-MOST_EVENTS).map((entry) => [entry.seq, entry]));
  return older
    .filter((entry) => entry.kind !== 'event' || kept.has(entry.seq))
    .map((entry) => kept.get(entry.seq) ?? entry);
}

function joined(first: EventEntry, later: EventEntry): NonNullable<EventEntry['folded']> {
  const times = (first.folded?.times ?? 1) + (later.folded?.times ?? 1);
  return { times, seq: first.folded?.seq ?? first.seq, wall: first.folded?.wall ?? first.wall };
}

/** Of everything that a later entry makes out of date only the latest stays; ends and wishes stay all. */
function latestOfEach(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const latest = new Map<string, number>();
  for (const entry of entries) {
    const key = replacedBy(entry);
    if (key !== undefined) latest.set(key, entry.seq);
  }
  return entries.filter((entry) => {
    const key = replacedBy(entry);
    return key === undefined || latest.get(key) === entry.seq;
  });
}

/** Entries of the same key replace each other; undefined: it stays. */
function replacedBy(entry: JournalEntry): string | undefined {
  switch (entry.kind) {
    case 'state':
    case 'exit':
      return `${entry.kind} ${entry.container}`;
    case 'phase':
      return entry.kind;
    case 'hook-start':
    case 'hook-end':
      return `${entry.kind} ${entry.container} ${entry.hook}`;
    case 'probe':
      return `probe ${entry.container} ${entry.probe}`;
    case 'signal':
    case 'note':
      return `${entry.kind} ${entry.container ?? ''}`;
    case 'event':
    case 'terminate':
    case 'ended':
    case 'dropped':
      return undefined;
    default:
      return entry satisfies never;
  }
}
