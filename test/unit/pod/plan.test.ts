import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import type { Volume } from '../../../src/manifest/volume.ts';
import { plan } from '../../../src/pod/plan.ts';
import { stepPod } from '../../../src/pod/step.ts';
import type { ContainerRecord, PodRecord } from '../../../src/pod/record.ts';
import { type PodSketch, aPod, aRecord, anEmptyDir, deepFreeze, shell, withContainer } from '../../support/pods.ts';
import {
  T,
  at,
  creating,
  ended,
  exited,
  over,
  planned,
  post,
  pre,
  running,
  starting,
  stopping,
  two,
  waiting,
  wall,
  wish,
} from '../../support/records.ts';

describe('volumes from objects', () => {
  const volume = (kind: 'configMap' | 'downwardAPI'): Volume => ({
    kind: 'projected',
    name: 'v',
    sources: [kind === 'configMap' ? { kind, object: 'x', items: [], optional: false } : { kind, items: [] }],
    defaultMode: 0o644,
  });
  const follows = (volumes: readonly Volume[], changes: Partial<PodRecord>): boolean => {
    const pod = { ...aPod(), volumes };
    const record = { ...aRecord(pod), sandbox: { phase: 'ready', ip: undefined }, ...changes } as PodRecord;
    return plan(pod, record, T).actions.some(({ kind }) => kind === 'follow');
  };

  test.each<[string, readonly Volume[], Partial<PodRecord>, boolean]>([
    ['are followed once the pod is there', [volume('configMap')], {}, true],
    ['are not before', [volume('configMap')], { sandbox: { phase: 'making' } }, false],
    ['are not when the pod goes', [volume('configMap')], { termination: wish() }, false],
    ['are not when they cannot change', [volume('downwardAPI'), anEmptyDir()], {}, false],
  ])('%s', (_, volumes, changes, expected) => {
    expect(follows(volumes, changes)).toBe(expected);
  });
});

describe('a pod that lives', () => {
  test.each<[string, PodSketch, readonly Partial<ContainerRecord>[], Partial<PodRecord>, number, readonly string[]]>([
    ['gets its sandbox first', {}, [], { sandbox: { phase: 'absent' } }, 0, ['sandboxBegun!']],
    ['has its sandbox made', {}, [], { sandbox: { phase: 'making' } }, 0, ['sandbox']],
    [
      'waits before the sandbox is tried again',
      {},
      [],
      { sandbox: { phase: 'failed', message: '', retryAt: at(10) } },
      0,
      ['wake 10'],
    ],
    [
      'tries its sandbox again',
      {},
      [],
      { sandbox: { phase: 'failed', message: '', retryAt: at(10) } },
      10,
      ['sandboxBegun!'],
    ],
    [
      'waits before its volumes are tried again',
      {},
      [],
      { sandbox: { phase: 'unmounted', waited: seconds(0.5), retryAt: at(10) } },
      0,
      ['wake 10'],
    ],
    [
      'tries its volumes again',
      {},
      [],
      { sandbox: { phase: 'unmounted', waited: seconds(0.5), retryAt: at(10) } },
      10,
      ['sandboxBegun!'],
    ],
    ['starts its first container', two, [], {}, 0, ['start a']],
    ['starts no other while one is being made', two, [{ state: creating }], {}, 0, ['start a']],
    ['starts no other while postStart runs', two, [{ state: starting, hooks: post }], {}, 0, ['hook a i postStart']],
    [
      'starts no other while one whose postStart failed is being stopped',
      two,
      [{ state: stopping({ because: 'postStart', signaled: { at: T, killAt: at(10) } }) }],
      {},
      0,
      [],
    ],
    ['starts the next when one runs', two, [{ state: running }], {}, 0, ['start b']],
    [
      'goes on to the next when one could not be made',
      two,
      [{ state: waiting(at(10)) }],
      {},
      0,
      ['start b', 'wake 10'],
    ],
    ['tries to make it again later', {}, [{ state: waiting(at(10)) }], {}, 0, ['wake 10']],
    ['tries to make it again', {}, [{ state: waiting(at(10)) }], {}, 10, ['start c']],
    ['restarts at once the first time', {}, [{ state: exited(1) }], {}, 0, ['start c']],
    [
      'waits the second time, and says so once',
      {},
      [{ state: exited(1), backoff: { delay: 10, updatedAt: T } }],
      {},
      1,
      ['c backOff!', 'wake 10'],
    ],
    [
      'restarts when the wait is over',
      {},
      [{ state: exited(1), backoff: { delay: 10, updatedAt: T } }],
      {},
      10,
      ['start c'],
    ],
    ['starts what never ran before it restarts anything', two, [{ state: exited(1) }], {}, 0, ['start b']],
    [
      'does not restart while a hook of the dead instance is open',
      {},
      [{ state: exited(1), hooks: post }],
      {},
      0,
      ['hook c i postStart'],
    ],
    ['goes when everything is done for good', { restartPolicy: 'Never' }, [{ state: exited(1) }], {}, 0, ['teardown']],
    [
      'stays while one still runs',
      { ...two, restartPolicy: 'Never' },
      [{ state: exited(1) }, { state: running }],
      {},
      0,
      [],
    ],
    ['stays while a failure is restarted', { restartPolicy: 'OnFailure' }, [{ state: exited(1) }], {}, 0, ['start c']],
    ['goes on success', { restartPolicy: 'OnFailure' }, [{ state: exited(0) }], {}, 0, ['teardown']],
    [
      'is over when its sandbox is gone',
      { restartPolicy: 'Never' },
      [{ state: exited(0) }],
      { sandbox: { phase: 'removed', ip: undefined } },
      0,
      ['ended!'],
    ],
  ])('%s', (_, sketch, containers, changes, now, expected) => {
    expect(planned(sketch, containers, changes, now)).toEqual(expected);
  });
});

describe('the end of a pod', () => {
  test.each<[string, readonly Partial<ContainerRecord>[], string, readonly [number, string][]]>([
    [
      'is Succeeded when all ended with 0',
      [{ state: exited(0) }, { state: exited(0) }],
      'Succeeded',
      [
        [0, 'Completed'],
        [0, 'Completed'],
      ],
    ],
    [
      'is Failed when one did not',
      [{ state: exited(0) }, { state: exited(143) }],
      'Failed',
      [
        [0, 'Completed'],
        [143, 'Error'],
      ],
    ],
    [
      'counts a container that never ran as lost',
      [{ state: exited(0) }, {}],
      'Failed',
      [
        [0, 'Completed'],
        [137, 'ContainerStatusUnknown'],
      ],
    ],
    [
      'keeps the last exit of one that could not be made again',
      [{ state: exited(0) }, { state: waiting(), last: ended(3) }],
      'Failed',
      [
        [0, 'Completed'],
        [3, 'Error'],
      ],
    ],
  ])('%s', (_, containers, phase, states) => {
    const pod = aPod(two);
    let record = aRecord(pod, { termination: wish() });
    containers.forEach((one, index) => {
      record = withContainer(record, one, index);
    });
    const { record: after, notes } = stepPod(pod, deepFreeze(record), { kind: 'ended' }, { at: T, wall });
    expect(after.ended).toEqual({ phase, wall });
    expect(notes).toEqual([{ kind: 'ended', phase }]);
    expect(
      after.containers.map(({ state }) =>
        state.phase === 'exited' ? [state.terminated.exitCode, state.terminated.reason] : [],
      ),
    ).toEqual(states);
  });
});

test('a back-off is told with the kubelet’s words', () => {
  const pod = aPod({ name: 'web', containers: [{ preStop: shell('x') }] });
  const record = withContainer(aRecord(pod, { sandbox: { phase: 'ready', ip: undefined } }), {
    state: exited(1),
    backoff: { delay: 80, updatedAt: T },
  });
  const where = `web_default(${record.uid})`;
  expect(plan(pod, record, at(1)).events).toEqual([
    {
      kind: 'container',
      name: 'c',
      event: {
        kind: 'backOff',
        message: `back-off 1m20s restarting failed container=c pod=${where}`,
        event: `Back-off restarting failed container c in pod ${where}`,
      },
    },
  ]);
});

describe('a hook with a limit', () => {
  const limited = { hookTimeout: 2.5, containers: [{ name: 'a' }] };

  test.each<[string, Partial<ContainerRecord>, number, readonly string[]]>([
    ['is left alone before', { state: starting, hooks: post }, 2.4, ['hook a i postStart', 'wake 2.5']],
    ['is ended then', { state: starting, hooks: post }, 2.5, ['hook a i postStart', 'endHook a i postStart timeout']],
    [
      'is a preStop as well',
      { state: stopping(), hooks: pre },
      4,
      ['hook a i preStop', 'endHook a i preStop timeout', 'wake 10'],
    ],
    ['was done in time', { state: running, hooks: { postStart: over, preStop: undefined } }, 4, []],
  ])('%s', (_, container, now, expected) => {
    const changes = container.state === starting || container.state === running ? {} : { termination: wish() };
    expect(planned(limited, [container], changes, now)).toEqual(expected);
  });
});
