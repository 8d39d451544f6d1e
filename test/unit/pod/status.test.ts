import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import type {
  ContainerRecord,
  ContainerState,
  HookRun,
  PodRecord,
  Terminated,
  Termination,
} from '../../../src/pod/record.ts';
import { podPhase } from '../../../src/pod/phase.ts';
import { podObject } from '../../../src/pod/status.ts';
import { type PodSketch, aPod, aRecord, deepFreeze, withContainer } from '../../support/pods.ts';

const T = 1_000_000_000_000n;
const wall = '2026-01-01T00:00:05.999Z';
const ended = (exitCode: number, after = 0): Terminated => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  message: undefined,
  startedAt: wall,
  finishedAt: wall,
  finishedMono: T + seconds(after),
  containerId: 'ab',
});
const exited = (exitCode: number, reason?: string, after = 0): ContainerState => ({
  phase: 'exited',
  terminated: ended(exitCode, after),
  because: undefined,
  shown: reason === undefined ? undefined : { reason, message: 'm' },
});
const fresh: ContainerState = { phase: 'waiting', reason: 'ContainerCreating' };
const failed: ContainerState = { phase: 'waiting', reason: 'ErrImagePull', message: 'no such image', retryAt: T };
const creating: ContainerState = { phase: 'creating', id: 'ab' };
const starting: ContainerState = { phase: 'starting', id: 'ab', startedAt: wall, startedMono: T };
const running: ContainerState = { phase: 'running', id: 'ab', startedAt: wall, startedMono: T };
const stopping = (wasRunning: boolean): ContainerState => ({
  phase: 'stopping',
  id: 'ab',
  startedAt: wall,
  startedMono: T,
  because: wasRunning ? 'terminated' : 'postStart',
  since: T,
  budget: 5,
  wasRunning,
  signaled: undefined,
  error: undefined,
});
const wish: Termination = {
  cause: 'request',
  requestedAt: T + seconds(60),
  requestedWall: '2026-01-01T00:01:00.400Z',
  grace: 7,
  hooksUntil: T + seconds(67),
  killBy: undefined,
  now: false,
  remove: true,
};
const open: HookRun = { execId: 'x', since: T, ended: undefined };

function recordOf(sketch: PodSketch, containers: readonly Partial<ContainerRecord>[], changes: Partial<PodRecord>) {
  const pod = deepFreeze(aPod(sketch));
  let record = aRecord(pod, { sandbox: { phase: 'ready', ip: '10.0.0.2' }, ...changes });
  containers.forEach((one, index) => {
    record = withContainer(record, one, index);
  });
  return { pod, record: deepFreeze(record) };
}

describe('the phase', () => {
  const two: PodSketch = { containers: [{ name: 'a' }, { name: 'b' }] };
  const never: PodSketch = { ...two, restartPolicy: 'Never' };
  test.each<[string, PodSketch, readonly [ContainerState, ContainerState], Partial<PodRecord>, string]>([
    ['is Pending before anything runs', two, [fresh, fresh], {}, 'Pending'],
    ['is Pending while one of them was never there', two, [running, fresh], {}, 'Pending'],
    ['is Pending while one cannot be made', two, [running, failed], {}, 'Pending'],
    ['is Pending while postStart runs', two, [running, starting], {}, 'Pending'],
    ['is Running when all run', two, [running, running], {}, 'Running'],
    ['is Running when one runs and one is over', never, [running, exited(1)], {}, 'Running'],
    ['is Running in a back-off', two, [exited(1, 'CrashLoopBackOff'), exited(1, 'CrashLoopBackOff')], {}, 'Running'],
    ['is Running between an exit and the restart', two, [exited(1), exited(0)], {}, 'Running'],
    [
      'is Running while what was running is stopped',
      two,
      [stopping(true), stopping(true)],
      { termination: wish },
      'Running',
    ],
    ['is Succeeded when all ended with 0 for good', never, [exited(0), exited(0)], {}, 'Succeeded'],
    ['is Failed when one ended badly for good', never, [exited(0), exited(3)], {}, 'Failed'],
    [
      'is Running until everything that was asked to end is released',
      never,
      [exited(0, undefined, 61), exited(0, undefined, 61)],
      { termination: wish },
      'Running',
    ],
    [
      'is not taken back by a wish that comes after the end',
      never,
      [exited(0), exited(0)],
      { termination: wish },
      'Succeeded',
    ],
    ['is what the pod ended with', two, [exited(0), exited(0)], { ended: { phase: 'Failed', wall } }, 'Failed'],
  ])('%s', (_, sketch, [a, b], changes, expected) => {
    const { pod, record } = recordOf(sketch, [{ state: a }, { state: b }], changes);
    expect(podPhase(pod, record)).toBe(expected);
  });

  test('is not final while a hook of the dead container is open', () => {
    const hooks = { postStart: open, preStop: undefined };
    const { pod, record } = recordOf({ restartPolicy: 'Never' }, [{ state: exited(0), hooks }], {});
    expect(podPhase(pod, record)).toBe('Running');
  });
});

describe('a container is shown', () => {
  const last = ended(1);
  const at = '2026-01-01T00:00:05Z';
  const dead = (exitCode: number): object => ({
    terminated: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: at,
      finishedAt: at,
      containerID: 'minirt://ab',
    },
  });
  const waiting = (reason: string, message?: string): object => ({
    waiting: message === undefined ? { reason } : { reason, message },
  });
  const alive = { running: { startedAt: at } };
  const asked: Partial<PodRecord> = { termination: wish };
  test.each<[string, Partial<ContainerRecord>, Partial<PodRecord>, object, object, boolean, number]>([
    ['as being created at first', { state: fresh }, {}, waiting('ContainerCreating'), {}, false, 0],
    ['as being created while postStart runs', { state: starting }, {}, waiting('ContainerCreating'), {}, false, 0],
    [
      'as being created while it is stopped because of postStart',
      { state: stopping(false) },
      {},
      waiting('ContainerCreating'),
      {},
      false,
      0,
    ],
    [
      'with the reason why it cannot be made',
      { state: failed },
      {},
      waiting('ErrImagePull', 'no such image'),
      {},
      false,
      0,
    ],
    ['as running and ready', { state: running }, {}, alive, {}, true, 0],
    ['as running and ready while it is stopped', { state: stopping(true) }, asked, alive, {}, true, 0],
    ['as terminated', { state: exited(3) }, {}, dead(3), {}, false, 0],
    [
      'with its back-off instead of its exit',
      { state: exited(3, 'CrashLoopBackOff') },
      {},
      waiting('CrashLoopBackOff', 'm'),
      dead(3),
      false,
      0,
    ],
    ['as terminated when no restart will come', { state: exited(3, 'CrashLoopBackOff') }, asked, dead(3), {}, false, 0],
    [
      'as before while a restart is being made',
      { state: creating, last, restartCount: 2 },
      {},
      dead(1),
      dead(1),
      false,
      1,
    ],
    [
      'as before while the restart’s postStart runs',
      { state: starting, last, restartCount: 2 },
      {},
      dead(1),
      dead(1),
      false,
      1,
    ],
    ['as running with its past', { state: running, last, restartCount: 2 }, {}, alive, dead(1), true, 2],
    [
      'as being created when it could not be made and will not be',
      { state: failed },
      asked,
      waiting('ContainerCreating'),
      {},
      false,
      0,
    ],
    [
      'as it ended when it could not be made again and will not be',
      { state: failed, last, restartCount: 2 },
      asked,
      dead(1),
      dead(1),
      false,
      2,
    ],
  ])('%s', (_, container, changes, state, lastState, ready, restartCount) => {
    const { pod, record } = recordOf({}, [container], changes);
    const [status] = podObject(pod, record).status?.containerStatuses ?? [];
    expect(status).toMatchObject({ name: 'c', ready, started: ready, restartCount });
    expect(status?.state).toEqual(state);
    if (Object.keys(lastState).length > 0 || status?.state?.terminated === undefined) {
      expect(status?.lastState).toEqual(lastState);
    }
  });

  test('with the epoch as the start of what never started', () => {
    const terminated: Terminated = { ...ended(128), reason: 'StartError', startedAt: undefined };
    const state: ContainerState = { phase: 'exited', terminated, because: undefined, shown: undefined };
    const { pod, record } = recordOf({ restartPolicy: 'Never' }, [{ state }], {});
    const [status] = podObject(pod, record).status?.containerStatuses ?? [];
    expect(status?.state?.terminated).toMatchObject({ startedAt: '1970-01-01T00:00:00Z', reason: 'StartError' });
  });
});

describe('the conditions', () => {
  const words = (
    sketch: PodSketch,
    states: readonly ContainerState[],
    changes: Partial<PodRecord>,
  ): readonly string[] => {
    const { pod, record } = recordOf(
      sketch,
      states.map((state) => ({ state })),
      changes,
    );
    return (podObject(pod, record).status?.conditions ?? []).map(({ type, status, reason, message }) =>
      [type, status, reason, message].filter((word) => word !== undefined).join(' '),
    );
  };
  const two: PodSketch = { containers: [{ name: 'a' }, { name: 'b' }], restartPolicy: 'Never' };
  const unready = (names: string): string => `False ContainersNotReady containers with unready status: [${names}]`;

  test.each<[string, readonly ContainerState[], Partial<PodRecord>, readonly [string, string, string]]>([
    ['before there is a sandbox', [fresh, fresh], { sandbox: { phase: 'making' } }, ['False', 'True', unready('a b')]],
    ['while one is not there yet', [running, fresh], {}, ['True', 'True', unready('b')]],
    ['when all run', [running, running], {}, ['True', 'True', 'True']],
    [
      'while ready containers are being stopped',
      [stopping(true), exited(0)],
      { termination: wish },
      ['True', 'True', unready('b')],
    ],
    ['of a success', [exited(0), exited(0)], {}, ['True', 'True PodCompleted', 'False PodCompleted']],
    ['of a failure', [exited(0), exited(1)], {}, ['True', 'True', 'False PodFailed']],
  ])('%s', (_, states, changes, [sandbox, initialized, ready]) => {
    expect(words(two, states, changes)).toEqual([
      `PodReadyToStartContainers ${sandbox}`,
      `Initialized ${initialized}`,
      `Ready ${ready}`,
      `ContainersReady ${ready}`,
      'PodScheduled True',
    ]);
  });
});

test('a pod that is being deleted says until when, in whole seconds', () => {
  const { pod, record } = recordOf({}, [{ state: running }], { termination: wish });
  expect(podObject(pod, record)).toMatchObject({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      uid: record.uid,
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-01T00:01:07Z',
      deletionGracePeriodSeconds: 7,
    },
    status: {
      startTime: '2026-01-01T00:00:00Z',
      podIP: '10.0.0.2',
      podIPs: [{ ip: '10.0.0.2' }],
      qosClass: 'BestEffort',
    },
  });
});

test('a pod that is only stopped is not being deleted', () => {
  const { pod, record } = recordOf({}, [{ state: running }], { termination: { ...wish, remove: false } });
  expect(podObject(pod, record).metadata).not.toHaveProperty('deletionTimestamp');
});
