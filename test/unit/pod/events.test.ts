import { describe, expect, test } from 'vitest';
import { EventLog, eventsOf } from '../../../src/pod/events.ts';
import type { Note } from '../../../src/pod/journal-entry.ts';
import { aContainer } from '../../support/pods.ts';
import { journalOf } from '../cli/story.ts';

const subject = {
  uid: 'u',
  namespace: 'ns',
  name: 'web',
  pod: {
    containers: [
      aContainer({ name: 'i', role: 'init' }),
      aContainer({ name: 's', role: 'sidecar' }),
      aContainer({ name: 'c' }),
    ],
  },
};
const event = (container: string | undefined, message: string, reason = 'Started'): Note => ({
  kind: 'event',
  type: 'Normal',
  reason,
  message,
  ...(container === undefined ? {} : { container }),
});

describe('v1 events', () => {
  test.each([
    ['i', 'spec.initContainers{i}'],
    ['s', 'spec.initContainers{s}'],
    ['c', 'spec.containers{c}'],
    [undefined, undefined],
  ])('of container %s are about %s', (container, fieldPath) => {
    const [one] = eventsOf(subject, journalOf([[1, event(container, 'Container started')]]));
    expect(one?.involvedObject).toMatchObject({ kind: 'Pod', name: 'web', namespace: 'ns', uid: 'u' });
    expect(one?.involvedObject.fieldPath).toBe(fieldPath);
  });

  test('that are equal are one with a count; those of another container are not equal', () => {
    const journal = journalOf([
      [1, event('c', 'Container started')],
      [2, event('i', 'Container started')],
      [3, { kind: 'ended', phase: 'Failed' }],
      [21, event('c', 'Container started')],
    ]);
    const facts = eventsOf(subject, journal).map(({ involvedObject, count, firstTimestamp, lastTimestamp }) => [
      involvedObject.fieldPath,
      count,
      (Date.parse(lastTimestamp ?? '') - Date.parse(firstTimestamp ?? '')) / 1000,
    ]);
    expect(facts).toEqual([
      ['spec.initContainers{i}', 1, 0],
      ['spec.containers{c}', 2, 20],
    ]);
    const log = new EventLog(subject);
    expect(journal.map((entry) => log.take(entry)?.count)).toEqual([1, 1, undefined, 2]);
  });
});
