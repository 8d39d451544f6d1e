import { describe, expect, test } from 'vitest';
import { runStatus, startOutcome, untilReached } from '../../../src/cli/run/outcome.ts';
import { endingLines, wasKilled } from '../../../src/cli/render/ending.ts';
import type { Role } from '../../../src/manifest/pod.ts';
import type { PodView } from '../../../src/pod/view.ts';
import { type Moment, exit, hookEnd, journalOf, signal, state, terminate } from './story.ts';

describe('how a container went', () => {
  test.each<[what: string, moments: Moment[], line: string]>([
    [
      'its preStop ended it',
      [
        [10, terminate(30)],
        [10.1, hookEnd({ exitCode: 0 })],
        [10.4, exit(10.4, 0)],
      ],
      'c: preStop exec exit 0 in 0.1 s; exited 0 with 29.6 s of grace left',
    ],
    [
      'it obeyed the signal',
      [
        [10, terminate(30)],
        [10, signal(10, 'SIGTERM', 'stop')],
        [12, exit(12, 143, 'SIGTERM')],
      ],
      'c: SIGTERM, exited 143 by SIGTERM with 28.0 s of grace left',
    ],
    [
      'it was deaf',
      [
        [10, terminate(3)],
        [10, signal(10, 'SIGTERM', 'stop')],
        [13, signal(13, 'SIGKILL', 'deadline')],
        [13, exit(13, 137, 'SIGKILL')],
      ],
      'c: killed 3.0 s after SIGTERM: the grace period was over; exited 137 by SIGKILL',
    ],
    [
      'it was killed at once',
      [
        [10, terminate(30, true)],
        [10, signal(10, 'SIGKILL', 'kill')],
        [10, exit(10, 137, 'SIGKILL')],
      ],
      'c: killed; exited 137 by SIGKILL',
    ],
    [
      'its preStop failed',
      [
        [10, terminate(30)],
        [11, hookEnd({ outcome: 'failed', exitCode: 3, seconds: 1 })],
        [11, exit(11, 0)],
      ],
      'c: preStop exec exit 3 in 1.0 s; exited 0 with 29.0 s of grace left',
    ],
    [
      'its preStop could not be run',
      [
        [10, terminate(30)],
        [11, hookEnd({ outcome: 'failed', message: 'no such file', seconds: 1 })],
        [11, exit(11, 0)],
      ],
      'c: preStop exec failed in 1.0 s: no such file; exited 0 with 29.0 s of grace left',
    ],
    [
      'its preStop took all the grace period',
      [
        [10, terminate(3)],
        [13, hookEnd({ outcome: 'ended-by-deadline', seconds: 3 })],
        [13, exit(13, 0)],
      ],
      'c: preStop exec cut off by the grace period after 3.0 s; exited 0 with 0.0 s of grace left',
    ],
    [
      'it had ended before',
      [
        [5, exit(5, 7)],
        [10, terminate(30)],
      ],
      'c: had already ended with exit code 7',
    ],
    ['it never started', [[10, terminate(30)]], 'c: never started'],
    ['nobody asked it to end', [[5, exit(5, 7)]], 'c: exited 7'],
    [
      'nobody asked it to end, so preStop was not run',
      [
        [5, { kind: 'note', container: 'c', text: 'preStop not run: the container completed by itself' }],
        [5, exit(5, 0)],
      ],
      'c: preStop not run: the container completed by itself; exited 0',
    ],
  ])('%s', (_what, moments, line) => {
    expect(endingLines(journalOf(moments), [{ name: 'c' }])).toEqual([line]);
  });

  test('is told for each container', () => {
    expect(endingLines(journalOf([[1, exit(1, 0)]]), [{ name: 'c' }, { name: 'other' }])).toEqual([
      'c: exited 0',
      'other: never started',
    ]);
  });
});

type Over = Pick<PodView, 'pod' | 'record'>;

const overOf = (phase: 'Succeeded' | 'Failed', ends: readonly [Role, number][], more: object = {}): Over =>
  ({
    pod: { containers: ends.map(([role]) => ({ role })) },
    record: {
      ended: { phase, wall: '' },
      containers: ends.map(([, exitCode]) => ({ state: { phase: 'exited', terminated: { exitCode } } })),
      ...more,
    },
  }) as unknown as Over;
const over = (phase: 'Succeeded' | 'Failed', ...codes: number[]): Over =>
  overOf(
    phase,
    codes.map((code) => ['main', code]),
  );

/** A wish to end it, which its record keeps. */
const asked = { termination: { cause: 'request' } };

describe('the exit status of a foreground run', () => {
  test.each<[what: string, over: Over, moments: Moment[], status: number]>([
    ['succeeded', over('Succeeded', 0), [[1, exit(1, 0)]], 0],
    ['failed, one container', over('Failed', 7), [[1, exit(1, 7)]], 7],
    ['failed, several', over('Failed', 7, 0), [[1, exit(1, 7)]], 1],
    [
      'failed, one main container',
      overOf('Failed', [
        ['init', 0],
        ['sidecar', 137],
        ['main', 7],
      ]),
      [[1, exit(1, 7)]],
      7,
    ],
    [
      'failed in an init container',
      {
        ...overOf('Failed', [['init', 3]]),
        pod: { containers: [{ role: 'init' }, { role: 'main' }] },
      } as unknown as Over,
      [[1, exit(1, 3)]],
      1,
    ],
    [
      'its deadline passed, and it ended with the signal',
      overOf('Failed', [['main', 143]], { termination: { cause: 'deadline' } }),
      [[1, terminate(30)]],
      143,
    ],
    [
      'its deadline passed, and it ended well',
      overOf('Failed', [['main', 0]], { termination: { cause: 'deadline' } }),
      [[1, terminate(30)]],
      1,
    ],
    [
      'stopped in time',
      overOf('Failed', [['main', 143]], asked),
      [
        [1, terminate(30)],
        [2, signal(2, 'SIGTERM', 'stop')],
        [2, exit(2, 143)],
      ],
      0,
    ],
    [
      'stopped, killed at the deadline',
      over('Failed', 137),
      [
        [1, terminate(3)],
        [4, signal(4, 'SIGKILL', 'deadline')],
      ],
      137,
    ],
    [
      'stopped twice',
      over('Failed', 137),
      [
        [1, terminate(3)],
        [2, terminate(3, true)],
        [2, signal(2, 'SIGKILL', 'kill')],
      ],
      137,
    ],
    [
      'killed once before, then stopped in time',
      overOf('Failed', [['main', 0]], asked),
      [
        [1, signal(1, 'SIGKILL', 'deadline')],
        [5, terminate(3)],
      ],
      0,
    ],
  ])('%s', (_what, view, moments, status) => {
    expect(runStatus(view, journalOf(moments))).toBe(status);
  });

  test('SIGTERM is no kill', () => {
    expect(wasKilled(journalOf([[1, signal(1, 'SIGTERM', 'stop')]]))).toBe(false);
  });
});

describe('--until', () => {
  const ready = { kind: 'phase', phase: 'Running', ready: true } as const;
  test.each<[what: string, until: 'ready' | 'completed', moments: Moment[], reached: boolean]>([
    ['ready, and it is not yet', 'ready', [[1, { ...ready, ready: false }]], false],
    ['ready, and it is', 'ready', [[1, ready]], true],
    ['completed, and it runs', 'completed', [[1, ready]], false],
    ['completed, and it has', 'completed', [[1, exit(1, 0)]], true],
  ])('%s', (_what, kind, moments, reached) => {
    expect(
      untilReached({ kind }, journalOf(moments), [
        { name: 'i', role: 'init' },
        { name: 's', role: 'sidecar' },
        { name: 'c', role: 'main' },
      ]),
    ).toBe(reached);
  });
});

describe('a detached start', () => {
  test.each<[what: string, moments: Moment[], failures: string[] | undefined]>([
    ['nothing yet', [], undefined],
    ['on its way', [[1, state('waiting', { reason: 'ContainerCreating' })]], undefined],
    ['runs', [[1, state('running')]], []],
    ['ran and is done', [[1, state('terminated', { exitCode: 0, reason: 'Completed' })]], []],
    [
      'ended at once',
      [[1, state('terminated', { exitCode: 3, reason: 'Error' })]],
      ['container c: Error (exit code 3)'],
    ],
    [
      'postStart failed',
      [[1, state('waiting', { reason: 'PostStartHookError', message: 'no' })]],
      ['container c: PostStartHookError: no'],
    ],
    [
      'no sandbox',
      [[1, { kind: 'event', type: 'Warning', reason: 'FailedCreatePodSandBox', message: 'no network' }]],
      ['no network'],
    ],
    ['ended before it began', [[1, { kind: 'ended', phase: 'Failed' }]], ['container c: never started']],
  ])('%s', (_what, moments, failures) => {
    expect(startOutcome(journalOf(moments), [{ name: 'c', role: 'main' }])?.failures).toEqual(failures);
  });

  const three = [
    { name: 'i', role: 'init' },
    { name: 's', role: 'sidecar' },
    { name: 'c', role: 'main' },
  ] as const;
  const initialized: Moment[] = [
    [1, state('waiting', { reason: 'PodInitializing' })],
    [2, state('terminated', { container: 'i', exitCode: 0, reason: 'Completed' })],
    [3, state('running', { container: 's' })],
  ];
  test.each<[what: string, moments: Moment[], failures: string[] | undefined]>([
    ['an init container runs', [[1, state('running', { container: 'i' })]], undefined],
    ['init containers are done, the main one waits', initialized, undefined],
    ['the main one runs', [...initialized, [4, state('running')]], []],
    [
      'an init container failed, so the main one has to wait',
      [
        [1, state('waiting', { reason: 'PodInitializing' })],
        [2, state('terminated', { container: 'i', exitCode: 1, reason: 'Error' })],
      ],
      ['container i: Error (exit code 1)'],
    ],
    [
      'the pod ended in its initialization',
      [
        [1, state('waiting', { reason: 'PodInitializing' })],
        [2, { kind: 'ended', phase: 'Failed' }],
      ],
      ['container i: never started', 'container s: never started', 'container c: never started'],
    ],
  ])('with init containers: %s', (_what, moments, failures) => {
    expect(startOutcome(journalOf(moments), three)?.failures).toEqual(failures);
  });
});
