import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../src/manifest/pod.ts';
import type { Note } from '../../../src/pod/journal-entry.ts';
import { violations } from '../../conformance/invariants/index.ts';
import { aPod } from '../../support/pods.ts';
import {
  type Told,
  aJournal,
  asked,
  begins,
  ends,
  event,
  hookEnd,
  hookStart,
  over,
  signal,
  stops,
} from './a-journal.ts';
import {
  crashing,
  deaf,
  hooked,
  inTurn,
  own,
  plain,
  probed,
  remark,
  restartedAll,
  sidecars,
  two,
  unhealthy,
  unlive,
} from './stories.ts';

describe('nothing is said of', () => {
  // prettier-ignore
  test.each<[string, Pod, readonly Told[]]>([
    ['a container that ends by itself', plain, [...begins(1, 'c'), ...ends(3, 'c'), ...over(4)]],
    ['a deaf one after a hook of 1.5 s: 4 s', hooked, deaf()],
    ['one whose hook took all of the grace period: 2 s', hooked, deaf({ hook: 60, term: 105, killed: 107 })],
    ['a hook of just two seconds, however its journal rounds', hooked, deaf({ hook: 1.999, killed: 104.999 })],
    ['the same, rounded the other way', hooked, deaf({ hook: 1.999, killed: 105.999 })],
    ['a hook that dies with its container', hooked, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), hookStart(100, 'c'), ...ends(101, 'c'), hookEnd(101.1, 'c', 1), ...over(102),
    ]],
    ['a preStop that is not run, and why', hooked, [
      ...begins(1, 'c'), asked(100, 5, true), [100, remark('c', 'preStop not run: no grace period was left')], stops(100, 'c'),
      signal(100, 'c', 'kill'), ...ends(100, 'c', { code: 137 }), ...over(101),
    ]],
    ['a second, shorter wish', plain, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), signal(100, 'c'), asked(101, 5), signal(103, 'c', 'deadline'),
      ...ends(103, 'c', { code: 137 }), ...over(104),
    ]],
    ['what was about to be started when its end was asked for', plain, [
      [1, event('c', 'Pulled')], [1, event('c', 'Created')], asked(1, 5), [1.1, event('c', 'Started')], stops(1.1, 'c'),
      signal(1.1, 'c'), ...ends(1.2, 'c'), ...over(2),
    ]],
    ['what was created and never ran', plain, [
      asked(1, 5), [1, event('c', 'Pulled')], [1, event('c', 'Created')], signal(1, 'c', 'kill'), ...ends(1, 'c', { code: 137 }), ...over(2),
    ]],
    ['a failed liveness probe with a grace period of its own, and a delete meanwhile', probed, [
      ...begins(1, 'c'), stops(10, 'c', unlive), signal(10, 'c'), asked(11, 30), signal(14, 'c', 'deadline'),
      ...ends(14, 'c', { code: 137 }), ...over(15),
    ]],
    ['a delete that leaves less than a stop before it', aPod({ grace: 30, containers: [{ name: 'c' }] }), [
      ...begins(1, 'c'), stops(10, 'c', 'FailedPostStartHook'), signal(10, 'c'), asked(11, 3), signal(14, 'c', 'deadline'),
      ...ends(14, 'c', { code: 137 }), ...over(15),
    ]],
    ['restarts at once, after 10 s and after 20 s', plain, crashing(0, 10, 20)],
    ['a restart after more than ten minutes', plain, [
      ...crashing(0, 10, 20).slice(0, -2), ...begins(140, 'c'), ...ends(800, 'c'), ...begins(800, 'c'), ...ends(801, 'c'), ...over(802),
    ]],
    ['restarts for a probe: the first two at once', probed, unhealthy(0, 0)],
    ['a restart of all containers, and one that waits', two, restartedAll(10)],
    ['sidecars in their turn', sidecars, inTurn()],
    ['sidecars whose turn does not come in the grace period', sidecars, [
      ...['s1', 's2', 'm'].flatMap((name, index) => begins(1 + index, name)), asked(100, 10),
      ...['s1', 's2', 'm'].map((name) => stops(100, name)), signal(100, 'm'), signal(110, 's1'), ...ends(110, 's1'),
      signal(110, 's2'), ...ends(110, 's2'), signal(110, 'm', 'deadline'), ...ends(110, 'm', { code: 137 }), ...over(111),
    ]],
  ])('%s', (_, pod, told) => {
    expect(violations(pod, aJournal(told))).toEqual([]);
  });
});

/** The same journal with one kind of entry, or one of its entries, told otherwise. */
function otherwise(
  told: readonly Told[],
  is: (note: Note) => boolean,
  change: (one: Told) => readonly Told[],
): readonly Told[] {
  return told.flatMap((one) => (is(one[1]) ? change(one) : [one]));
}

const isKind =
  (kind: Note['kind']) =>
  (note: Note): boolean =>
    note.kind === kind;
const twice = (one: Told): readonly Told[] => [one, one];
const none = (): readonly Told[] => [];

describe('is reported:', () => {
  // prettier-ignore
  test.each<[string, Pod, readonly Told[], string]>([
    ['an early SIGKILL', hooked, deaf({ killed: 105.4 }), 'SIGKILL to c 3.900 s after its stop signal, before 4.000 s'],
    ['a late SIGKILL', hooked, deaf({ killed: 105.9 }), 'SIGKILL to c 4.400 s after its stop signal, later than 4.000 s'],
    ['SIGKILL before two seconds', hooked, deaf({ hook: 60, term: 105, killed: 106.9 }), 'before 2.000 s'],
    ['two seconds missing without any grace', own, [
      ...begins(1, 'c'), asked(100, 1), stops(100, 'c'), signal(100, 'c'), signal(101, 'c', 'deadline'),
      ...ends(101, 'c', { code: 137 }), ...over(102),
    ], 'before 2.000 s'],
    ['SIGKILL without a stop signal', hooked, deaf().filter(([, note]) => !('why' in note && note.why === 'stop')), 'without a stop signal'],
    ['SIGKILL at once though nobody asked for that', plain, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), signal(100, 'c', 'kill'), ...ends(100, 'c', { code: 137 }), ...over(101),
    ], 'without a stop signal'],
    ['SIGKILL that never came', hooked, deaf({ killed: 106.5 }).filter(([, note]) => !('why' in note && note.why === 'deadline')), 'got no SIGKILL'],
    ['SIGKILL to one that was gone', plain, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), signal(100, 'c'), ...ends(101, 'c'), signal(105, 'c', 'deadline'), ...over(106),
    ], 'SIGKILL to c 4.000 s after it had ended'],
    ['a stop signal to one that was gone', plain, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), ...ends(100, 'c'), signal(101, 'c'), ...over(106),
    ], 'SIGTERM to c 1.000 s after it had ended'],
    ['a second stop signal', plain, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), signal(100, 'c'), signal(101, 'c'), ...ends(102, 'c'), ...over(103),
    ], 'its stop signal 2 times'],
    ['a stop signal out of nowhere', plain, [...begins(1, 'c'), signal(2, 'c'), ...ends(3, 'c'), ...over(4)], 'which nobody was about to stop'],
    ['a stop signal during preStop', hooked, deaf({ term: 101, killed: 105 }), 's before its grace period was over, during preStop'],
    ['the end of everything, too late', plain, [
      ...begins(1, 'c'), asked(100, 5), stops(105, 'c'), signal(106, 'c'), ...ends(107.5, 'c'), ...over(108),
    ], 'c ended 7.500 s after the pod\'s end began'],
    ['a hook without an end', hooked, otherwise(deaf(), isKind('hook-end'), none), 'preStop of c began and never ended'],
    ['a hook without a beginning', hooked, otherwise(deaf(), isKind('hook-start'), none), 'preStop of c ended and never began'],
    ['a second preStop', hooked, otherwise(deaf(), isKind('hook-start'), twice), 'preStop of c ran 2 times'],
    ['a second end of a preStop', hooked, otherwise(deaf(), isKind('hook-end'), twice), 'preStop of c ended 2 times'],
    ['a hook that ended before it began', hooked, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), hookEnd(100, 'c'), hookStart(100, 'c'), signal(100, 'c'), ...ends(100.1, 'c'), ...over(101),
    ], 'ended before it began'],
    ['a hook that its container does not have', plain, deaf(), 'c has no preStop, and it ran'],
    ['a preStop that was left out', hooked, [
      ...begins(1, 'c'), asked(100, 5), stops(100, 'c'), signal(100, 'c'), ...ends(101, 'c'), ...over(102),
    ], 'c was stopped without its preStop'],
    ['a start after the delete', plain, [
      ...begins(1, 'c'), ...ends(2, 'c'), asked(3, 5), ...begins(3.5, 'c'), ...ends(4, 'c', { restart: 1 }), ...over(5),
    ], "c was started 0.500 s after the pod's end began"],
    ['a second restart that does not wait', plain, crashing(0, 9.9, 20), 'c was started again 9.900 s after its end, 10 s were due'],
    ['a third that waits no longer than the second', plain, crashing(0, 10, 10), 'c was started again 10.000 s after its end, 20 s were due'],
    ['a restart for a probe that does not wait after a back-off was told', probed, unhealthy(0, 0, [[50.2, event('c', 'BackOff')]]), ''],
    ['a third restart for a probe, at once', probed, [
      ...unhealthy(0, 0).slice(0, -4), stops(52, 'c', unlive), signal(52, 'c'), ...ends(52.1, 'c', { restart: 2 }),
      ...begins(52.1, 'c'), ...ends(60, 'c', { restart: 3 }), ...over(61),
    ], 'c was started again 0.000 s after its end, 10 s were due'],
    ['a restart of all containers that does not wait', two, restartedAll(9), 'a was started again 9.000 s after its end, 10 s were due'],
    ['a start without a creation', plain, [[1, event('c', 'Started')], ...over(2)], 'c was started and never created'],
    ['a second start', plain, [...begins(1, 'c'), [2, event('c', 'Started')], ...ends(3, 'c'), ...over(4)], 'c was started twice'],
    ['two instances at the same time', plain, [...begins(1, 'c'), ...begins(2, 'c'), ...ends(3, 'c'), ...over(4)], 'c was created again while'],
    ['an instance without an end', plain, [...begins(1, 'c'), ...over(4)], 'c was started and never ended'],
    ['a second end', plain, [...begins(1, 'c'), ...ends(3, 'c'), ...ends(3, 'c'), ...over(4)], 'c ended twice'],
    ['an end of what never was', plain, [...ends(3, 'c'), ...over(4)], 'exit: c was never created'],
    ['an end that nothing shows', plain, otherwise([...begins(1, 'c'), ...ends(3, 'c'), ...over(4)], isKind('state'), none), 'no state tells of it'],
    ['an end that is shown with another code', plain, otherwise(
      [...begins(1, 'c'), ...ends(3, 'c'), ...over(4)], isKind('state'), ([at, note]) => [[at, { ...note, exitCode: 1 } as Note]],
    ), 'c ended with 0, its state says 1'],
    ['a pod that goes on after its end', plain, [...begins(1, 'c'), ...over(2), ...ends(3, 'c')], 'exit after the pod had ended'],
    ['a pod that never ends', plain, [...begins(1, 'c'), ...ends(3, 'c')], 'the pod ended 0 times'],
    ['a pod that ends twice', plain, [...begins(1, 'c'), ...ends(3, 'c'), ...over(4), ...over(4)], 'the pod ended 2 times'],
    ['a phase that is not the end', plain, [...begins(1, 'c'), ...ends(3, 'c'), ...over(4).slice(0, 1)], 'the pod ended Succeeded, and is called nothing'],
    ['a sidecar before the main container', sidecars, inTurn({ m: 101.2 }), 'SIGTERM to sidecar s2 while m was still there'],
    ['sidecars in the order of their start', sidecars, inTurn({ s1: 101, s2: 102 }), 'SIGTERM to sidecar s1 while s2 was still there'],
  ])('%s', (_, pod, told, expected) => {
    expect(violations(pod, aJournal(told)).join('; ')).toContain(expected);
  });

  test('a dropped entry, wherever it was', () => {
    const whole = aJournal(deaf());
    for (const gone of whole.slice(0, -1)) {
      const rest = whole.filter((entry) => entry !== gone);
      expect(violations(hooked, rest).join()).toContain('seq: ');
    }
  });

  test('an entry that is told twice', () => {
    expect(
      violations(
        hooked,
        aJournal(deaf()).flatMap((entry) => [entry, entry]),
      ).join(),
    ).toContain('seq: 1 stands where 2');
  });

  test('time that goes back', () => {
    const told = [...begins(1, 'c'), ...ends(3, 'c'), ...over(2)];
    expect(violations(plain, aJournal(told))).toEqual(['t: entry 6 is earlier than the one before']);
  });
});

describe('where owners died, nothing is said of', () => {
  test.each<[string, readonly Told[]]>([
    ['a hook that began again', otherwise(deaf(), isKind('hook-start'), twice)],
    ['an end that is told again', otherwise(deaf(), isKind('exit'), twice)],
    ['a signal that is told again', otherwise(deaf(), isKind('signal'), twice)],
    ['a stop that came late', deaf({ term: 120, killed: 122 })],
  ])('%s', (_, told) => {
    expect(violations(hooked, aJournal(told)).length).toBeGreaterThan(0);
    expect(violations(hooked, aJournal(told), { ownersDied: true })).toEqual([]);
  });

  test('but an early SIGKILL is one', () => {
    expect(violations(hooked, aJournal(deaf({ killed: 105 })), { ownersDied: true }).join()).toContain(
      'before 4.000 s',
    );
  });
});
