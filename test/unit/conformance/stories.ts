import type { Note } from '../../../src/pod/journal-entry.ts';
import { RESTART_ALL_REMARK } from '../../../src/pod/step.ts';
import { aPod, shell } from '../../support/pods.ts';
import { type Told, asked, begins, ends, hookEnd, hookStart, over, signal, stops } from './a-journal.ts';

export const hooked = aPod({ grace: 5, containers: [{ name: 'c', preStop: shell('bye') }] });
export const plain = aPod({ grace: 5, containers: [{ name: 'c' }] });
export const own = aPod({ grace: 0, containers: [{ name: 'c' }] });
export const sidecars = aPod({
  grace: 10,
  containers: [
    { name: 's1', role: 'sidecar' },
    { name: 's2', role: 'sidecar' },
    { name: 'm', role: 'main' },
  ],
});
export const probed = aPod({
  grace: 30,
  containers: [
    {
      name: 'c',
      probes: {
        startup: undefined,
        readiness: undefined,
        liveness: {
          handler: { kind: 'exec', command: ['true'] },
          initialDelaySeconds: 0,
          timeoutSeconds: 1,
          periodSeconds: 1,
          successThreshold: 1,
          failureThreshold: 1,
          terminationGracePeriodSeconds: 4,
        },
      },
    },
  ],
});
export const two = aPod({ containers: [{ name: 'a' }, { name: 'b' }] });

export const unlive = 'Container c failed liveness probe, will be restarted';
export const remark = (container: string, text: string): Note => ({ kind: 'note', container, text });

interface DeafTimes {
  readonly hook: number;
  readonly term: number;
  readonly killed: number;
}

/** A deaf container, whose preStop takes so long of the 5 s. */
export function deaf({ hook = 1.5, term = 100 + hook, killed = term + 4 }: Partial<DeafTimes> = {}): readonly Told[] {
  return [
    ...begins(1, 'c'),
    asked(100, 5),
    stops(100, 'c'),
    hookStart(100, 'c'),
    ...(hook > 5 ? [] : [hookEnd(100 + hook, 'c', hook)]),
    signal(term, 'c'),
    signal(killed, 'c', 'deadline'),
    ...ends(killed, 'c', { code: 137 }),
    ...(hook > 5 ? [hookEnd(killed, 'c', hook)] : []),
    ...over(killed + 0.1),
  ];
}

/** Three instances of `c` that end by themselves, started so long after the ends of those before. */
export function crashing(first: number, second: number, third: number): readonly Told[] {
  const ended = [10, 20 + first, 30 + first + second, 40 + first + second + third];
  return [
    ...begins(1, 'c'),
    ...ended
      .slice(0, 3)
      .flatMap((at, restart) => [
        ...ends(at, 'c', { restart, code: 1 }),
        ...begins(at + ([first, second, third][restart] ?? 0), 'c'),
      ]),
    ...ends(ended[3] ?? 0, 'c', { restart: 3, code: 1 }),
    ...over(1000),
  ];
}

/** Killed for its probe twice; the times are between an end and the next start. */
export function unhealthy(first: number, second: number, between: readonly Told[] = []): readonly Told[] {
  return [
    ...begins(1, 'c'),
    stops(10, 'c', unlive),
    signal(10, 'c'),
    ...ends(10.1, 'c'),
    ...begins(10.1 + first, 'c'),
    stops(50, 'c', unlive),
    signal(50, 'c'),
    ...ends(50.1, 'c', { restart: 1 }),
    ...between,
    ...begins(50.1 + second, 'c'),
    ...ends(200, 'c', { restart: 2 }),
    ...over(201),
  ];
}

interface Order {
  readonly m?: number;
  readonly s2?: number;
  readonly s1?: number;
}

/** Each ends at once on its signal, which it gets at these seconds. */
export function inTurn({ m = 100, s2 = 101, s1 = 102 }: Order = {}): readonly Told[] {
  const ending: Told[] = [
    signal(m, 'm'),
    ...ends(m + 0.5, 'm'),
    signal(s2, 's2'),
    ...ends(s2 + 0.5, 's2'),
    signal(s1, 's1'),
    ...ends(s1 + 0.5, 's1'),
  ];
  return [
    ...['s1', 's2', 'm'].flatMap((name, index) => begins(1 + index, name)),
    asked(100, 10),
    ...['s1', 's2', 'm'].map((name) => stops(100, name)),
    ...ending.toSorted(([a], [b]) => a - b),
    ...over(115),
  ];
}

export function restartedAll(later: number): readonly Told[] {
  const again = 20 + later;
  return [
    ...begins(1, 'a'),
    ...begins(1, 'b'),
    ...ends(10, 'a', { code: 3 }),
    [10, remark('a', RESTART_ALL_REMARK)],
    stops(10, 'b', 'killing'),
    signal(10, 'b'),
    signal(12, 'b', 'deadline'),
    ...ends(12, 'b', { code: 137 }),
    ...begins(12, 'a'),
    ...begins(12, 'b'),
    ...ends(20, 'a', { restart: 1, code: 3 }),
    [20, remark('a', RESTART_ALL_REMARK)],
    ...ends(20, 'b', { restart: 1 }),
    ...begins(again, 'a'),
    ...begins(again, 'b'),
    ...ends(again + 1, 'a', { restart: 2 }),
    ...ends(again + 1, 'b', { restart: 2 }),
    ...over(again + 2),
  ];
}
