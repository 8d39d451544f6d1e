import { describe, expect, test } from 'vitest';
import type { RestartPolicy, Role } from '../../../src/manifest/pod.ts';
import { podReady } from '../../../src/pod/conditions.ts';
import { podPhase } from '../../../src/pod/phase.ts';
import type { ContainerRecord, ContainerState, PodRecord } from '../../../src/pod/record.ts';
import { podObject, podStatus } from '../../../src/pod/status.ts';
import { stepPod } from '../../../src/pod/step.ts';
import { aPod, aRecord, deepFreeze, withContainer } from '../../support/pods.ts';
import { T, creating, ended, exited, running, starting, stopping, wall, wish } from '../../support/records.ts';

const fresh: ContainerState = { phase: 'waiting', reason: 'PodInitializing' };

function given(
  roles: string,
  states: readonly (ContainerState | Partial<ContainerRecord>)[],
  {
    restartPolicy = 'Always',
    gates = [] as readonly string[],
    ...changes
  }: Partial<PodRecord> & { restartPolicy?: RestartPolicy; gates?: readonly string[] } = {},
) {
  const containers = roles.split(' ').map((one) => {
    const [name = '', role = 'main'] = one.split(':');
    return { name, role: role as Role };
  });
  const pod = deepFreeze({ ...aPod({ restartPolicy, containers }), readinessGates: gates });
  let record = aRecord(pod, { sandbox: { phase: 'ready', ip: '10.0.0.2' }, ...changes });
  states.forEach((state, index) => {
    record = withContainer(record, 'phase' in state ? { state } : state, index);
  });
  return [pod, deepFreeze(record)] as const;
}

describe('the phase of a pod with init containers', () => {
  test.each<[string, string, readonly ContainerState[], RestartPolicy, string]>([
    ['is Pending before they ran', 'i:init m:main', [fresh, fresh], 'Always', 'Pending'],
    ['is Pending while one runs', 'i:init m:main', [running, fresh], 'Always', 'Pending'],
    ['is Pending while one is tried again', 'i:init m:main', [exited(1), fresh], 'OnFailure', 'Pending'],
    ['is Failed when one failed for good', 'i:init m:main', [exited(1), fresh], 'Never', 'Failed'],
    [
      'is Pending while a sidecar still runs then',
      's:sidecar i:init m:main',
      [stopping(), exited(1), fresh],
      'Never',
      'Pending',
    ],
    ['is Pending until the main ones are made', 'i:init m:main', [exited(0), creating], 'Always', 'Pending'],
    ['is Running when the main ones run', 'i:init m:main', [exited(0), running], 'Always', 'Running'],
    ['is Running when a sidecar has died beside them', 's:sidecar m:main', [exited(1), running], 'Never', 'Running'],
    ['is Running until the sidecars are gone', 's:sidecar m:main', [stopping(), exited(0)], 'Never', 'Running'],
    ['does not ask how a sidecar ended', 's:sidecar m:main', [exited(137), exited(0)], 'Never', 'Succeeded'],
    ['is Failed when a main one failed', 's:sidecar m:main', [exited(0), exited(1)], 'Never', 'Failed'],
    ['is Running when all main ones come again', 's:sidecar m:main', [running, exited(0)], 'Always', 'Running'],
  ])('%s', (_, roles, states, restartPolicy, expected) => {
    expect(podPhase(...given(roles, states, { restartPolicy }))).toBe(expected);
  });

  test('stays Pending when it is deleted on the way', () => {
    expect(podPhase(...given('i:init m:main', [exited(143), fresh], { termination: wish() }))).toBe('Pending');
  });
});

describe('an init container', () => {
  test.each<[string, ContainerState | Partial<ContainerRecord>, object]>([
    [
      'waits as PodInitializing',
      fresh,
      { state: { waiting: { reason: 'PodInitializing' } }, ready: false, started: false },
    ],
    ['waits as PodInitializing while it is made', creating, { state: { waiting: { reason: 'PodInitializing' } } }],
    ['is started but not ready while it runs', running, { ready: false, started: true }],
    ['is ready when it is done', exited(0), { ready: true, started: false }],
    ['is not ready when it failed', exited(1), { ready: false, started: false }],
  ])('%s', (_, state, expected) => {
    const [status] = podObject(...given('i:init m:main', [state])).status?.initContainerStatuses ?? [];
    expect(status).toMatchObject(expected);
  });

  test('is listed apart from the main ones, in order', () => {
    const { status } = podObject(...given('i:init s:sidecar m:main n:main', [exited(0), running, running]));
    expect(status?.initContainerStatuses?.map(({ name }) => name)).toEqual(['i', 's']);
    expect(status?.containerStatuses?.map(({ name }) => name)).toEqual(['m', 'n']);
  });

  test('holds up its followers as PodInitializing', () => {
    const { status } = podObject(...given('i:init m:main', [running, creating]));
    expect(status?.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
  });
});

describe('the conditions', () => {
  const of = (...input: Parameters<typeof given>) =>
    Object.fromEntries(
      (podObject(...given(...input)).status?.conditions ?? []).map(({ type, lastTransitionTime: _, ...rest }) => [
        type,
        rest,
      ]),
    );

  test('name the init containers that are not complete', () => {
    expect(of('i:init s:sidecar m:main', [exited(1), starting, fresh])['Initialized']).toEqual({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [i s]',
    });
    expect(of('i:init s:sidecar m:main', [exited(0), running, fresh])['Initialized']).toEqual({ status: 'True' });
  });

  test('count sidecars, but not init containers', () => {
    expect(of('i:init s:sidecar m:main', [exited(0), exited(1), running])['ContainersReady']).toMatchObject({
      message: 'containers with unready status: [s]',
    });
    expect(podReady(...given('i:init s:sidecar m:main', [exited(0), running, running]))).toBe(true);
  });

  test('are not met by a readiness gate that nobody opens', () => {
    const gates = ['a.example/x', 'b.example/y'];
    const { Ready, ContainersReady } = of('m:main', [running], { gates });
    expect(ContainersReady).toEqual({ status: 'True' });
    expect(Ready).toEqual({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message:
        'corresponding condition of pod readiness gate "a.example/x" does not exist., corresponding condition of pod readiness gate "b.example/y" does not exist.',
    });
    expect(podReady(...given('m:main', [running], { gates }))).toBe(false);
  });

  test('say so when all containers are being restarted', () => {
    expect(of('m:main', [exited(3)], { restartingAll: 'm' })['AllContainersRestarting']).toMatchObject({
      status: 'True',
    });
  });
});

describe('the end of a pod', () => {
  const end = (...input: Parameters<typeof given>) => {
    const [pod, record] = given(...input);
    return stepPod(pod, record, { kind: 'ended' }, { at: T, wall }).record;
  };
  const reasons = ({ containers }: PodRecord) =>
    containers.map(({ state }) => (state.phase === 'exited' ? state.terminated.reason : state.phase));

  test('leaves those that had not come to their turn as they are', () => {
    const termination = wish();
    expect(reasons(end('a:init b:init m:main', [exited(143), fresh, fresh], { termination }))).toEqual([
      'Error',
      'waiting',
      'waiting',
    ]);
    expect(reasons(end('a:init m:main', [exited(0), fresh], { termination }))).toEqual([
      'Completed',
      'ContainerStatusUnknown',
    ]);
  });

  test('that came by itself changes nothing', () => {
    expect(reasons(end('i:init m:main', [exited(2), fresh], { restartPolicy: 'Never' }))).toEqual(['Error', 'waiting']);
  });

  test('by its own size is Failed, and says why, also to the scheduler', () => {
    const message = 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ';
    const moment = { at: T, wall: '2026-01-01T00:00:05.000Z' };
    const pod = aPod();
    const evicted = stepPod(pod, aRecord(pod), { kind: 'evict', message }, moment);
    expect(evicted.notes).toEqual([
      { kind: 'event', type: 'Warning', reason: 'Evicted', message },
      { kind: 'terminate', grace: 1, remove: false, now: false },
    ]);
    expect(stepPod(pod, evicted.record, { kind: 'evict', message: 'again' }, moment).record).toEqual(evicted.record);
    const { record } = stepPod(pod, evicted.record, { kind: 'ended' }, moment);
    const status = podStatus(pod, record);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message });
    expect(status.conditions?.at(-1)).toMatchObject({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'TerminationByKubelet',
      message,
    });
  });

  test('by its deadline is Failed, and says why', () => {
    const termination = { ...wish(), cause: 'deadline' as const, remove: false };
    const [pod] = given('m:main', [exited(0)]);
    const record = end('m:main', [exited(0)], { termination });
    expect(podObject(pod, record).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });
});

test('a container that was restarted with all others shows that instead of its end', () => {
  const [pod, record] = given('i:init m:main', [exited(0), { state: exited(3), restartCount: 1, last: ended(0) }], {
    restartingAll: 'm',
  });
  const after = stepPod(pod, record, { kind: 'allDown' }, { at: T, wall }).record;
  const [status] = podObject(pod, after).status?.containerStatuses ?? [];
  expect(status).toMatchObject({
    restartCount: 2,
    state: { waiting: { reason: 'RestartingAllContainers' } },
    lastState: { terminated: { exitCode: 137, reason: 'RestartingAllContainers' } },
  });
  expect(after.restartingAll).toBeUndefined();
});
