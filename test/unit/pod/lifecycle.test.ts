import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import { type ContainerEvent, type Exit, stepContainer } from '../../../src/pod/lifecycle.ts';
import type { ContainerRecord, PodRecord } from '../../../src/pod/record.ts';
import { type ContainerSketch, aPod, aRecord, deepFreeze, shell } from '../../support/pods.ts';

const T = 1_000_000_000_000n;
const at = (offset: number): bigint => T + seconds(offset);
const wall = (offset: number): string => new Date(Date.parse('2026-01-01T00:00:00Z') + offset * 1000).toISOString();

const created: ContainerEvent = { kind: 'create', id: 'i1' };
const started: ContainerEvent = { kind: 'started', id: 'i1', wall: wall(1) };
const stop: ContainerEvent = { kind: 'stop', because: 'terminated' };
const hookEnded = (hook: 'postStart' | 'preStop', ok: boolean, byDeadline = false): ContainerEvent => ({
  kind: 'hookEnded',
  id: 'i1',
  hook,
  ok,
  message: ok ? '' : `the ${hook} hook failed`,
  detail: ok ? '' : 'it printed this',
  byDeadline,
});
const exited = (code: number, offset = 5): ContainerEvent => ({
  kind: 'exited',
  id: 'i1',
  exit: { kind: 'exited', code, wall: wall(offset), mono: at(offset), message: undefined },
});

interface Life {
  readonly container: ContainerRecord;
  /** Reasons of events, and the texts of notes. */
  readonly told: readonly string[];
}

/** One second apart, on a pod whose record can be changed first. */
function live(sketch: ContainerSketch, events: readonly ContainerEvent[], changes: Partial<PodRecord> = {}): Life {
  const pod = aPod({ containers: [sketch], grace: 10 });
  let record = deepFreeze(aRecord(pod, changes));
  const told: string[] = [];
  events.forEach((event, index) => {
    const [before] = record.containers;
    const [spec] = pod.containers;
    if (before === undefined || spec === undefined) throw new RangeError('no container');
    const context = { pod, record, spec, moment: { at: at(index), wall: wall(index) } };
    const { container, notes } = stepContainer(context, before, event);
    record = deepFreeze({ ...record, containers: [container] });
    told.push(
      ...notes.map((note) => (note.kind === 'event' ? note.reason : note.kind === 'note' ? note.text : note.kind)),
    );
  });
  const [container] = record.containers;
  if (container === undefined) throw new RangeError('no container');
  return { container, told };
}

const hooks: ContainerSketch = { postStart: shell('post'), preStop: shell('pre') };

const terminating: Partial<PodRecord> = {
  termination: {
    cause: 'request',
    requestedAt: at(0),
    requestedWall: wall(0),
    grace: 10,
    hooksUntil: at(10),
    killBy: undefined,
    now: false,
    remove: true,
  },
};

describe('a container', () => {
  test.each<[string, ContainerSketch, readonly ContainerEvent[], string, readonly string[]]>([
    ['runs at once without postStart', {}, [created, started], 'running', ['Started']],
    ['is not running while postStart runs', hooks, [created, started], 'starting', ['Started']],
    [
      'is running when postStart ended well',
      hooks,
      [created, started, hookEnded('postStart', true)],
      'running',
      ['Started'],
    ],
    [
      'is stopped when postStart failed',
      hooks,
      [created, started, hookEnded('postStart', false)],
      'stopping',
      ['Started', 'FailedPostStartHook', 'Killing'],
    ],
    [
      'waits for its preStop before the signal',
      hooks,
      [created, started, hookEnded('postStart', true), stop],
      'stopping',
      ['Started', 'Killing'],
    ],
    [
      'tells of a failed preStop and goes on stopping',
      hooks,
      [created, started, hookEnded('postStart', true), stop, hookEnded('preStop', false)],
      'stopping',
      ['Started', 'Killing', 'FailedPreStopHook'],
    ],
    [
      'that ends while preStop runs says so after the failure',
      { preStop: shell('pre') },
      [created, started, stop, exited(0), hookEnded('preStop', false)],
      'exited',
      ['Started', 'Killing', 'FailedPreStopHook', 'the container exited while its preStop hook ran'],
    ],
    [
      'that completes by itself says why preStop did not run',
      { preStop: shell('pre') },
      [created, started, exited(0)],
      'exited',
      ['Started', 'preStop not run: the container completed by itself'],
    ],
    [
      'that crashes says why preStop did not run',
      { preStop: shell('pre') },
      [created, started, exited(3)],
      'exited',
      ['Started', 'preStop not run: the container ended by itself with exit code 3'],
    ],
    [
      'that ends before postStart returned has failed it',
      { postStart: shell('post') },
      [created, started, exited(0), hookEnded('postStart', false)],
      'exited',
      ['Started', 'FailedPostStartHook', 'Killing'],
    ],
    [
      'that could not be executed tells the runtime’s error',
      hooks,
      [created, { kind: 'startFailed', id: 'i1', message: 'no such file', wall: wall(1) }],
      'exited',
      ['Failed'],
    ],
    ['is not stopped before it runs', hooks, [created, stop], 'creating', []],
    ['is not stopped twice', {}, [created, started, stop, stop], 'stopping', ['Started', 'Killing']],
    [
      'does not hear of an earlier instance’s end',
      {},
      [created, started, exited(1), { kind: 'create', id: 'i2' }, exited(1)],
      'creating',
      ['Started'],
    ],
    ['is not created twice', {}, [created, { kind: 'create', id: 'i2' }, started], 'running', ['Started']],
    [
      'keeps the first outcome of a hook',
      hooks,
      [created, started, hookEnded('postStart', true), hookEnded('postStart', false)],
      'running',
      ['Started'],
    ],
  ])('%s', (_, sketch, events, phase, told) => {
    const life = live(sketch, events);
    expect(life.container.state.phase).toBe(phase);
    expect(life.told).toEqual(told);
  });

  test('that is being ended does not wait for a postStart that was cut', () => {
    const life = live(hooks, [created, started, hookEnded('postStart', false, true)], terminating);
    expect(life.told).toEqual([
      'Started',
      'Killing',
      'preStop not run: postStart was still running when the grace period ended',
    ]);
    expect(life.container.state).toMatchObject({
      phase: 'stopping',
      because: 'terminated',
      budget: 0,
      wasRunning: false,
    });
    expect(life.container.hooks.preStop).toBeUndefined();
  });

  test('whose postStart fails during a delete still runs its preStop in what is left', () => {
    const life = live(hooks, [created, started, hookEnded('postStart', false)], terminating);
    expect(life.container.hooks.preStop).toBeDefined();
    expect(life.container.state).toMatchObject({ because: 'postStart', budget: 8 });
  });

  test.each<[string, Exit, Partial<{ exitCode: number; reason: string; message: string | undefined }>]>([
    ['exit 0 is Completed', exitOf({ kind: 'exited', code: 0 }), { exitCode: 0, reason: 'Completed' }],
    ['exit 3 is Error', exitOf({ kind: 'exited', code: 3 }), { exitCode: 3, reason: 'Error' }],
    ['SIGKILL is 137 Error', exitOf({ kind: 'signaled', signal: 9 }), { exitCode: 137, reason: 'Error' }],
    ['SIGTERM is 143 Error', exitOf({ kind: 'signaled', signal: 15 }), { exitCode: 143, reason: 'Error' }],
    [
      'an end that nobody saw is 137 ContainerStatusUnknown',
      exitOf({ kind: 'lost', why: 'nobody saw it' }),
      { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'nobody saw it' },
    ],
  ])('%s', (_, exit, expected) => {
    const { state } = live({}, [created, started, { kind: 'exited', id: 'i1', exit }]).container;
    expect(state).toMatchObject({
      phase: 'exited',
      terminated: { ...expected, startedAt: wall(1), containerId: 'i1' },
    });
  });

  test('counts a restart, keeps the instance before, and begins with fresh hooks', () => {
    const again: ContainerEvent = { kind: 'create', id: 'i2' };
    const { container } = live(hooks, [created, started, hookEnded('postStart', true), exited(1), again]);
    expect(container).toMatchObject({ restartCount: 1, last: { exitCode: 1 }, backoff: { delay: 10 } });
    expect(container.hooks).toEqual({ postStart: undefined, preStop: undefined });
  });

  test('that could not be created is no restart', () => {
    const failed: ContainerEvent = {
      kind: 'createFailed',
      reason: 'ErrImagePull',
      message: 'm',
      retryAt: T,
      events: [],
    };
    const { container } = live({}, [created, failed, { kind: 'create', id: 'i2' }]);
    expect(container).toMatchObject({ restartCount: 0, last: undefined, backoff: undefined });
  });

  test('shows the failed hook instead of its exit while a restart is expected', () => {
    const { state } = live(hooks, [created, started, hookEnded('postStart', false), exited(0)]).container;
    expect(state).toMatchObject({ shown: { reason: 'PostStartHookError', message: 'the postStart hook failed' } });
  });
});

describe('a container that ran out of memory', () => {
  const outOfMemory = (code: number): ContainerEvent => ({
    kind: 'exited',
    id: 'i1',
    exit: exitOf({ kind: 'exited', code, oomKilled: true }),
  });

  test.each([137, 1, 0])('says so, whatever came of its own process: %i', (code) => {
    const { container, told } = live({ preStop: shell('pre') }, [created, started, outOfMemory(code)]);
    expect(container.state).toMatchObject({ terminated: { exitCode: code, reason: 'OOMKilled' } });
    expect(told).toContain(`preStop not run: the container ran out of memory (OOMKilled, ${code})`);
  });
});

function exitOf<T extends object>(how: T): T & { wall: string; mono: bigint; message: undefined } {
  return { wall: wall(5), mono: at(5), message: undefined, ...how };
}
