import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { compacted } from '../../../src/pod/compact.ts';
import { eventsOf } from '../../../src/pod/events.ts';
import type { JournalEntry, Note } from '../../../src/pod/journal-entry.ts';
import { Journal } from '../../../src/pod/journal.ts';
import { readJournal } from '../../../src/pod/view.ts';
import { aPod } from '../../support/pods.ts';

const folder = mkdtempSync('/tmp/mrt-journal-');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const subject = { uid: 'u', namespace: 'default', name: 'p', pod: aPod() };
const name = fc.constantFrom('a', 'b');
const note: fc.Arbitrary<Note> = fc.oneof(
  fc
    .record({
      container: name,
      reason: fc.constantFrom('Unhealthy', 'BackOff', 'Pulled'),
      message: fc.constantFrom('x', 'y'),
    })
    .map((one): Note => ({ kind: 'event', type: 'Normal', ...one })),
  name.map((container): Note => ({
    kind: 'state',
    container,
    state: 'running',
    restartCount: 0,
    ready: true,
    started: true,
  })),
  name.map((container): Note => ({ kind: 'exit', container, restartCount: 0, exitCode: 0, at: '1' })),
  fc.constant<Note>({ kind: 'phase', phase: 'Running', ready: true }),
  fc.constant<Note>({ kind: 'terminate', grace: 1, remove: true, now: false }),
);
const journal = fc.array(note, { maxLength: 60 }).map((notes) =>
  notes.map((one, index) => ({
    seq: index + 1,
    t: String(index),
    wall: new Date(Date.parse('2026-01-01T00:00:00Z') + index * 1000).toISOString(),
    ...one,
  })),
) as fc.Arbitrary<readonly JournalEntry[]>;

describe('a compacted journal', () => {
  const property = (holds: (entries: readonly JournalEntry[], recent: number) => void): void => {
    fc.assert(fc.property(journal, fc.nat({ max: 30 }), holds), { numRuns: 500 });
  };

  test('tells the same events, however often it was compacted', () => {
    property((entries, recent) => {
      const once = compacted(entries, recent);
      expect(eventsOf(subject, once)).toEqual(eventsOf(subject, entries));
      expect(eventsOf(subject, compacted(once, Math.floor(recent / 2)))).toEqual(eventsOf(subject, entries));
    });
  });

  test('keeps its latest entries, every wish to end the pod, and the last state of each container', () => {
    property((entries, recent) => {
      const short = compacted(entries, recent);
      expect(short.slice(short.length - Math.min(recent, entries.length))).toEqual(
        entries.slice(entries.length - Math.min(recent, entries.length)),
      );
      const of = (all: readonly JournalEntry[], kind: string) => all.filter((one) => one.kind === kind);
      const wishes = of(entries, 'terminate');
      expect(of(short, 'terminate')).toEqual(wishes);
      for (const container of ['a', 'b']) {
        const last = (all: readonly JournalEntry[]) =>
          all.findLast((one) => one.kind === 'state' && one.container === container);
        expect(last(short)).toEqual(last(entries));
      }
    });
  });

  test('counts what is gone, and goes on counting in order', () => {
    property((entries, recent) => {
      const short = compacted(compacted(entries, recent), Math.floor(recent / 2));
      const seqs = short.map(({ seq }) => seq);
      expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
      const dropped = short.filter((one) => one.kind === 'dropped').reduce((sum, one) => sum + one.entries, 0);
      const marks = short.filter((one) => one.kind === 'dropped').length;
      expect(short.length - marks + dropped).toBe(entries.length);
    });
  });
});

test('a journal that became too long is replaced, and goes on', async () => {
  const path = join(folder, 'long.jsonl');
  const limits = { bytes: 20_000, recent: 20 };
  const seen: number[] = [];
  using writer = new Journal(path, systemClock, limits);
  writer.listen(({ seq }) => seen.push(seq));
  for (let n = 0; n < 2_000; n++) {
    writer.append({ kind: 'event', type: 'Warning', reason: 'Unhealthy', message: 'no', container: 'c' });
  }
  expect(seen).toEqual(Array.from({ length: 2_000 }, (_, index) => index + 1));
  expect(statSync(path).size).toBeLessThan(limits.bytes + 1_000);
  const entries = await readJournal(path);
  expect(entries.at(-1)?.seq).toBe(2_000);
  expect(eventsOf(subject, entries)).toMatchObject([{ count: 2_000, reason: 'Unhealthy' }]);
  using next = new Journal(path, systemClock, limits);
  expect(next.append({ kind: 'note', text: 'x' }).seq).toBe(2_001);
  expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(200);
});
