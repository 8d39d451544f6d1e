import type { V1Event } from '../../pod/events.ts';
import { age } from './duration.ts';

export const EVENT_HEADING: readonly string[] = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];

/** One row of `events`. */
export function eventRow(event: V1Event, namespace: boolean, now: Date): readonly string[] {
  const { involvedObject } = event;
  return [
    ...(namespace ? [event.metadata.namespace ?? ''] : []),
    ...[eventAge(event, now), event.type ?? '', event.reason ?? ''],
    ...[`${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name ?? ''}`, (event.message ?? '').trim()],
  ];
}

/** `3s`, or for one that came more than once `3s (x4 over 1m)`. */
export function eventAge(event: V1Event, now: Date): string {
  const last = age(event.lastTimestamp, now);
  return (event.count ?? 1) > 1 ? `${last} (x${event.count} over ${age(event.firstTimestamp, now)})` : last;
}
