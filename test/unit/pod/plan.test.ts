import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import { actionKey, plan, stepPod } from '../../../src/pod/plan.ts';
import type {
  ContainerRecord,
  ContainerState,
  HookRun,
  PodRecord,
  Terminated,
  Termination,
} from '../../../src/pod/record.ts';
import { type PodSketch, aPod, aRecord, deepFreeze, shell, withContainer } from '../../support/pods.ts';

const T = 1_000_000_000_000n;
const at = (offset: number): bigint => T + seconds(offset);
const wall = '2026-01-01T00:00:01.000Z';

const ended = (exitCode: number): Terminated => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  message: undefined,
  startedAt: wall,
  finishedAt: wall,
  finishedMono: T,
  containerId: 'i',
});
const exited = (exitCode: number): ContainerState => ({
  phase: 'exited',
  terminated: ended(exitCode),
  shown: undefined,
});
const running: ContainerState = { phase: 'running', id: 'i', startedAt: wall };
const starting: ContainerState = { phase: 'starting', id: 'i', startedAt: wall };
const creating: ContainerState = { phase: 'creating', id: 'i' };
const stopping = (changes: object = {}): ContainerState => ({
  phase: 'stopping',
  id: 'i',
  startedAt: wall,
  because: 'terminated',
  since: T,
  budget: 10,
  wasRunning: true,
  signaled: undefined,
  error: undefined,
  ...changes,
});
const open: HookRun = { execId: 'x', since: T, ended: undefined };
const over: HookRun = { ...open, ended: { at: T, ok: true } };
const wish = (changes: Partial<Termination> = {}): Termination => ({
  requestedAt: T,
  requestedWall: wall,
  grace: 10,
  hooksUntil: at(10),
  killBy: undefined,
  now: false,
  remove: true,
  ...changes,
});

/** What is planned, in short: events with an exclamation mark, actions by key, the wake in seconds. */
function planned(
  sketch: PodSketch,
  containers: readonly Partial<ContainerRecord>[],
  changes: Partial<PodRecord> = {},
  now = 0,
): readonly string[] {
  const pod = deepFreeze(aPod(sketch));
  let record = aRecord(pod, { sandbox: { phase: 'ready', ip: '10.0.0.2' }, ...changes });
  containers.forEach((one, index) => {
    record = withContainer(record, one, index);
  });
  const { events, actions, wakeAt } = plan(pod, deepFreeze(record), at(now));
  return [
    ...events.map((event) => `${event.kind === 'container' ? `${event.name} ${event.event.kind}` : event.kind}!`),
    ...actions.map(actionKey),
    ...(wakeAt === undefined ? [] : [`wake ${Number(wakeAt - T) / 1e9}`]),
  ];
}

const two = { containers: [{ name: 'a' }, { name: 'b' }] };
const post = { postStart: open, preStop: undefined };
const pre = { postStart: undefined, preStop: open };
const waiting = (retryAt?: bigint): ContainerState => ({
  phase: 'waiting',
  reason: 'ErrImagePull',
  ...(retryAt === undefined ? {} : { retryAt }),
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
    ['goes on to the next when one could not be made', two, [{ state: waiting(at(10)) }], {}, 0, ['start b']],
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

describe('a pod that is asked to end', () => {
  test.each<[string, readonly Partial<ContainerRecord>[], Partial<PodRecord>, number, readonly string[]]>([
    ['starts nothing', [{}, {}], {}, 0, ['teardown']],
    ['needs no sandbox', [{}, {}], { sandbox: { phase: 'absent' } }, 0, ['ended!']],
    ['waits for the sandbox that is being made', [{}, {}], { sandbox: { phase: 'making' } }, 0, ['sandbox']],
    ['stops all that runs', [{ state: running }, { state: running }], {}, 0, ['a stop!', 'b stop!']],
    ['waits for a postStart', [{ state: starting, hooks: post }], {}, 0, ['hook a i postStart', 'wake 10']],
    [
      'ends a postStart when the grace period does',
      [{ state: starting, hooks: post }],
      {},
      10,
      ['hook a i postStart', 'endHook a i postStart'],
    ],
    ['waits for preStop', [{ state: stopping(), hooks: pre }], {}, 9.9, ['hook a i preStop', 'wake 10']],
    ['signals when preStop took all', [{ state: stopping(), hooks: pre }], {}, 10, ['hook a i preStop', 'signal a i']],
    ['signals when preStop is over', [{ state: stopping(), hooks: { ...pre, preStop: over } }], {}, 1, ['signal a i']],
    ['signals once', [{ state: stopping({ signaled: { at: T, killAt: at(10) } }) }], {}, 1, []],
    [
      'brings SIGKILL forward when asked again',
      [{ state: stopping({ signaled: { at: T, killAt: at(10) } }) }],
      { termination: wish({ killBy: at(4) }) },
      1,
      [`hasten a i ${at(4)}`],
    ],
    [
      'brings SIGKILL forward for a stop that began before',
      [
        {
          state: stopping({
            since: at(-5),
            budget: 30,
            because: 'postStart',
            signaled: { at: at(-5), killAt: at(25) },
          }),
        },
      ],
      {},
      1,
      [`hasten a i ${at(10)}`],
    ],
    [
      'never brings it closer than two seconds to the signal',
      [{ state: stopping({ signaled: { at: at(3), killAt: at(10) } }) }],
      { termination: wish({ killBy: at(4) }) },
      3,
      [`hasten a i ${at(5)}`],
    ],
    [
      'kills everything at once when that is wanted',
      [{ state: running }, { state: starting, hooks: post }],
      { termination: wish({ now: true }) },
      0,
      ['a stop!', 'kill a i', 'hook b i postStart', 'kill b i'],
    ],
    ['waits for an instance that is being made', [{ state: creating }, { state: exited(0) }], {}, 0, ['start a']],
    ['waits for a hook whose container is gone', [{ state: exited(0), hooks: pre }, {}], {}, 0, ['hook a i preStop']],
    ['does not restart', [{ state: exited(1) }, { state: exited(1) }], {}, 0, ['teardown']],
  ])('%s', (_, containers, changes, now, expected) => {
    const seen = planned(
      two,
      [{ state: exited(0) }, { state: exited(0) }].map((one, index) => containers[index] ?? one),
      {
        termination: wish(),
        ...changes,
      },
      now,
    );
    expect(seen).toEqual(expected);
  });

  test('plans nothing once it is over', () => {
    expect(planned({}, [], { ended: { phase: 'Failed', wall } })).toEqual([]);
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
    let record = aRecord(pod);
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
