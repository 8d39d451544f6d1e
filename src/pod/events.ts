import type { Event as V1Event } from 'kubernetes-types/core/v1.js';
import type { Pod } from '../manifest/pod.ts';
import { eventKey } from './compact.ts';
import type { JournalEntry } from './journal-entry.ts';
import { truncated } from './visible.ts';

export type { V1Event };

interface Subject {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly pod: Pick<Pod, 'containers'>;
}

/**
 * A pod's v1 Events, taken from its journal entry by entry: equal ones about one object are one with a count and the
 * time of the last (client-go tools/record/events_cache.go).
 */
export class EventLog {
  readonly #subject: Subject;
  readonly #byKey = new Map<string, V1Event>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** The event as it stands after this entry; undefined for all other entries. */
  take(entry: JournalEntry): V1Event | undefined {
    if (entry.kind !== 'event') return undefined;
    const key = eventKey(entry);
    const earlier = this.#byKey.get(key);
    const event = earlier === undefined ? firstEvent(this.#subject, entry) : again(earlier, entry);
    // The latest occurrence decides the place in the list, as in `kubectl get events`.
    this.#byKey.delete(key);
    this.#byKey.set(key, event);
    return event;
  }

  /** Oldest first. */
  get all(): readonly V1Event[] {
    return [...this.#byKey.values()];
  }
}

/** The v1 Events of a whole journal, oldest first. */
export function eventsOf(subject: Subject, journal: readonly JournalEntry[]): readonly V1Event[] {
  const log = new EventLog(subject);
  for (const entry of journal) log.take(entry);
  return log.all;
}

function firstEvent(subject: Subject, entry: Extract<JournalEntry, { kind: 'event' }>): V1Event {
  const { uid, namespace, name } = subject;
  const first = entry.folded ?? entry;
  const at = truncated(first.wall);
  const suffix = BigInt(Date.parse(first.wall)) * 1_000_000n + BigInt(first.seq);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name}.${suffix.toString(16)}`,
      namespace,
      uid: `${uid}-${first.seq}`,
      creationTimestamp: at,
    },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      name,
      namespace,
      uid,
      ...(entry.container === undefined ? {} : { fieldPath: fieldPath(subject, entry.container) }),
    },
    type: entry.type,
    reason: entry.reason,
    message: entry.message,
    count: entry.folded?.times ?? 1,
    firstTimestamp: at,
    lastTimestamp: truncated(entry.wall),
    source: { component: 'kubelet' },
    reportingComponent: 'kubelet',
    reportingInstance: '',
  };
}

/** Init containers and sidecars have their own list in the spec. */
function fieldPath({ pod }: Subject, name: string): string {
  const role = pod.containers.find((one) => one.name === name)?.role ?? 'main';
  return `spec.${role === 'main' ? 'containers' : 'initContainers'}{${name}}`;
}

function again(earlier: V1Event, entry: JournalEntry): V1Event {
  return { ...earlier, count: (earlier.count ?? 1) + 1, lastTimestamp: truncated(entry.wall) };
}
