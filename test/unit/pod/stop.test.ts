import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import type { HookRun, Stopping, Termination } from '../../../src/pod/record.ts';
import {
  effectiveGrace,
  hastenedKill,
  hookWaitEnds,
  killMoment,
  mergeTermination,
  stopBudget,
} from '../../../src/pod/stop.ts';
import { aContainer, aPod, aRecord } from '../../support/pods.ts';

const T = 1_000_000_000_000n;
const at = (offset: number): bigint => T + seconds(offset);
const wall = '2026-01-01T00:00:00.000Z';

function merge(grace: number, requests: readonly [offset: number, grace: number | undefined][]): Termination {
  const pod = aPod({ grace });
  let merged: Termination | undefined;
  for (const [offset, wanted] of requests) {
    merged = mergeTermination(pod, merged, { grace: wanted, remove: true, now: false }, { at: at(offset), wall });
  }
  if (merged === undefined) throw new RangeError('no request');
  return merged;
}

function stopping(budget: number, since = T): Stopping {
  return {
    phase: 'stopping',
    id: 'i',
    startedAt: wall,
    startedMono: T,
    because: 'terminated',
    since,
    budget,
    wasRunning: true,
    signaled: undefined,
    error: undefined,
  };
}

function hook(from: number, to: number | undefined): HookRun {
  return { execId: 'prestop', since: at(from), ended: to === undefined ? undefined : { at: at(to), ok: true } };
}

describe('the grace period', () => {
  test.each([
    ['is what was asked for', 7, 7],
    ['is at least one second', 0, 1],
    ['is one second when negative', -5, 1],
    ['counts whole seconds only', 2.9, 2],
  ])('%s', (_, requested, expected) => {
    expect(effectiveGrace(requested)).toBe(expected);
  });
});

describe('a wish to end the pod', () => {
  test.each([
    ['takes the pod’s own period when it names none', 30, [[0, undefined]], 30, 30, undefined],
    ['may name a longer one', 2, [[0, 8]], 8, 8, undefined],
    ['may name a shorter one', 30, [[0, 3]], 3, 3, undefined],
    ['gives one second where the pod gives none', 0, [[0, undefined]], 1, 1, undefined],
    [
      'that comes second shortens',
      30,
      [
        [0, undefined],
        [5, 4],
      ],
      30,
      9,
      9,
    ],
    [
      'that comes second never lengthens',
      5,
      [
        [0, undefined],
        [1, 60],
      ],
      5,
      5,
      61,
    ],
    [
      'that comes second leaves two seconds to die',
      30,
      [
        [0, undefined],
        [5, 1],
      ],
      30,
      6,
      7,
    ],
    [
      'repeated without a number changes nothing',
      5,
      [
        [0, undefined],
        [3, undefined],
      ],
      5,
      5,
      undefined,
    ],
    [
      'that comes third keeps the earliest moment',
      30,
      [
        [0, undefined],
        [1, 3],
        [2, 20],
      ],
      30,
      4,
      4,
    ],
  ] as const)('%s', (_, own, requests, grace, hooksUntil, killBy) => {
    const merged = merge(own, requests as unknown as [number, number | undefined][]);
    expect(merged.grace).toBe(grace);
    expect(merged.hooksUntil).toBe(at(hooksUntil));
    expect(merged.killBy).toBe(killBy === undefined ? undefined : at(killBy));
    expect(merged.requestedAt).toBe(T);
  });

  test('that says now, or remove, is not taken back by a later one', () => {
    const pod = aPod();
    const first = mergeTermination(pod, undefined, { grace: undefined, remove: true, now: true }, { at: T, wall });
    const second = mergeTermination(pod, first, { grace: 60, remove: false, now: false }, { at: at(1), wall });
    expect(second).toMatchObject({ remove: true, now: true });
  });

  test('only ever makes things earlier', () => {
    const request = fc.tuple(fc.nat({ max: 50 }), fc.option(fc.integer({ min: -2, max: 60 }), { nil: undefined }));
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.array(request, { minLength: 2, maxLength: 6 }), (own, requests) => {
        const inOrder = requests.toSorted(([a], [b]) => a - b);
        const before = merge(own, inOrder.slice(0, -1));
        const after = merge(own, inOrder);
        expect(after.hooksUntil <= before.hooksUntil).toBe(true);
        expect(before.killBy === undefined || (after.killBy ?? after.requestedAt) <= before.killBy).toBe(true);
        expect(after.grace).toBe(before.grace);
      }),
    );
  });
});

describe('the budget of a stop', () => {
  test.each([
    ['is the pod’s own without a termination', 30, undefined, 0, 30],
    ['is the whole period of a termination that has just come', 30, 8, 0, 8],
    ['is what a termination has left, in whole seconds spent', 30, 8, 2.9, 6],
    ['is nothing when the period has passed', 30, 8, 9, 0],
    ['is nothing when the pod gives none', 0, undefined, 0, 0],
  ])('%s', (_, own, grace, later, expected) => {
    const pod = aPod({ grace: own });
    const termination = grace === undefined ? undefined : merge(own, [[0, grace]]);
    const context = { pod, record: aRecord(pod, { termination }), spec: aContainer() };
    expect(stopBudget(context, 'terminated', at(later))).toBe(expected);
  });
});

describe('waiting for preStop', () => {
  test.each([
    ['ends with the stop’s own budget', 5, undefined, 5],
    ['ends with the termination when that is earlier', 30, [[0, 4]], 4],
    [
      'ends with a later, shorter wish',
      30,
      [
        [0, undefined],
        [3, 2],
      ],
      5,
    ],
    ['is not prolonged by the termination', 3, [[0, 60]], 3],
  ] as const)('%s', (_, budget, requests, expected) => {
    const termination =
      requests === undefined ? undefined : merge(30, requests as unknown as [number, number | undefined][]);
    expect(hookWaitEnds(stopping(budget), termination)).toBe(at(expected));
  });
});

describe('SIGKILL', () => {
  test.each([
    ['follows the whole period after the signal when there is no hook', 30, undefined, [[0, undefined]], 0, 30],
    ['follows what a hook left, the hook counted in whole seconds', 30, hook(0, 2.9), [[0, undefined]], 2.9, 30.9],
    ['comes two seconds after the signal when the hook used all', 4, hook(0, undefined), [[0, 4]], 4, 6],
    ['comes two seconds after the signal with one second of grace', 1, undefined, [[0, 1]], 0, 2],
    ['comes two seconds after the signal with no budget', 0, undefined, [[0, 5]], 5, 7],
    ['counts what was waited for after the hook in whole seconds too', 10, hook(0, 3.5), [[0, 10]], 4.6, 10.6],
    ['does not count less than a second after the hook', 10, hook(0, 3.5), [[0, 10]], 3.6, 10.6],
    [
      'is brought forward by a shorter wish',
      30,
      undefined,
      [
        [0, undefined],
        [1, 4],
      ],
      2,
      5,
    ],
    [
      'is not put off by a longer wish',
      5,
      undefined,
      [
        [0, 5],
        [1, 60],
      ],
      2,
      5,
    ],
    ['needs no termination', 5, hook(0, 1.2), undefined, 1.2, 5.2],
  ] as const)('%s', (_, budget, run, requests, sent, expected) => {
    const termination =
      requests === undefined ? undefined : merge(30, requests as unknown as [number, number | undefined][]);
    expect(killMoment(stopping(budget), run, termination, at(sent))).toBe(at(expected));
  });
});

test.each([
  [
    'leaves two seconds after the signal',
    stopping(30),
    [
      [0, undefined],
      [1, 4],
    ],
    5,
    7,
  ],
  ['is earlier for a stop that had begun before a shorter wish', stopping(30, at(-5)), [[0, 6]], 1, 6],
  ['is not earlier for a stop that had begun before an equal wish', stopping(30, at(-5)), [[0, undefined]], 1, 25],
] as const)('SIGKILL %s', (_, state, requests, sent, expected) => {
  const termination = merge(30, requests as unknown as [number, number | undefined][]);
  const run = { ...hook(-5, 0), since: state.since, ended: { at: state.since + seconds(5), ok: true } };
  expect(killMoment(state, run, termination, at(sent))).toBe(at(expected));
});

describe('a SIGKILL that is set', () => {
  const set = (since: number, sent: number, killAt: number): Stopping => ({
    ...stopping(30, at(since)),
    signaled: { at: at(sent), killAt: at(killAt) },
  });
  test.each<[string, Stopping, readonly [number, number | undefined][], number | undefined]>([
    ['stays without another wish', set(0, 0, 30), [[0, 30]], undefined],
    [
      'stays after a longer wish',
      set(0, 0, 5),
      [
        [0, 5],
        [1, 60],
      ],
      undefined,
    ],
    [
      'stays after a wish without a number',
      set(0, 0, 30),
      [
        [0, 30],
        [1, undefined],
      ],
      undefined,
    ],
    [
      'is brought forward by a shorter wish',
      set(0, 0, 30),
      [
        [0, 30],
        [1, 4],
      ],
      5,
    ],
    ['is brought forward by the first wish when the stop began before it', set(-5, -5, 25), [[0, 3]], 3],
    [
      'keeps two seconds to the signal',
      set(0, 4, 30),
      [
        [0, 30],
        [1, 1],
      ],
      6,
    ],
  ])('%s', (_, state, requests, expected) => {
    const seen = hastenedKill(state, merge(30, requests));
    expect(seen).toBe(expected === undefined ? undefined : at(expected));
  });
});
