import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import type { RestartRule } from '../../../src/manifest/pod.ts';
import type { Backoff, ContainerRecord } from '../../../src/pod/record.ts';
import {
  asksRestartOfAll,
  backoffAfterRestart,
  backoffUntil,
  goDuration,
  nextBackoff,
  restartWaitsUntil,
  shouldRestart,
} from '../../../src/pod/restart.ts';
import { aContainer, aPod, aRecord, withContainer } from '../../support/pods.ts';
import { at, ended } from '../../support/records.ts';

const START = 5_000_000_000_000n;

/** Seconds that each restart had to wait when every instance runs for `ran` seconds. */
function waits(ran: readonly number[]): number[] {
  let now = START;
  let backoff: Backoff | undefined;
  return ran.map((run) => {
    const finished = now + seconds(run);
    const until = backoffUntil(backoff, finished, finished) ?? finished;
    now = until;
    backoff = nextBackoff(backoff, finished, now);
    return Number(until - finished) / 1e9;
  });
}

describe('the restart policy', () => {
  test.each([
    ['Always restarts a success', 'Always', 0, true],
    ['Always restarts a failure', 'Always', 1, true],
    ['OnFailure leaves a success', 'OnFailure', 0, false],
    ['OnFailure restarts a failure', 'OnFailure', 3, true],
    ['OnFailure restarts a killed one', 'OnFailure', 137, true],
    ['Never leaves a success', 'Never', 0, false],
    ['Never leaves a failure', 'Never', 255, false],
  ] as const)('%s', (_, policy, code, expected) => {
    const pod = aPod({ restartPolicy: policy });
    expect(shouldRestart(pod, aContainer(), { exitCode: code, because: undefined })).toBe(expected);
  });
});

describe('an init container', () => {
  test.each([
    ['that succeeded is done, also with Always', 'Always', 0, false],
    ['that failed is tried again with Always', 'Always', 1, true],
    ['that failed is tried again with OnFailure', 'OnFailure', 1, true],
    ['that failed is left with Never', 'Never', 1, false],
  ] as const)('%s', (_, restartPolicy, exitCode, expected) => {
    const spec = aContainer({ role: 'init' });
    expect(shouldRestart(aPod({ restartPolicy }), spec, { exitCode, because: undefined })).toBe(expected);
  });

  test('that ran out of memory has failed, whatever its exit code', () => {
    const ending = { exitCode: 0, reason: 'OOMKilled', because: undefined };
    expect(shouldRestart(aPod({ restartPolicy: 'OnFailure' }), aContainer({ role: 'init' }), ending)).toBe(true);
    expect(shouldRestart(aPod({ restartPolicy: 'OnFailure' }), aContainer(), ending)).toBe(false);
  });

  test('may have a policy of its own', () => {
    const spec = aContainer({ role: 'init', restartPolicy: 'Never' });
    expect(shouldRestart(aPod(), spec, { exitCode: 1, because: undefined })).toBe(false);
  });
});

test.each([0, 1])('a sidecar that exits %i comes back in a pod that never restarts', (exitCode) => {
  const pod = aPod({ restartPolicy: 'Never' });
  expect(shouldRestart(pod, aContainer({ role: 'sidecar' }), { exitCode, because: undefined })).toBe(true);
});

describe('rules of a container', () => {
  const rule = (
    action: RestartRule['action'],
    operator: RestartRule['operator'],
    ...values: number[]
  ): RestartRule => ({
    action,
    operator,
    values,
  });
  const never = (...restartPolicyRules: RestartRule[]) => aContainer({ restartPolicy: 'Never', restartPolicyRules });

  test.each([
    ['restart for a code that is named', never(rule('Restart', 'In', 3)), 3, true],
    ['leave others to the policy', never(rule('Restart', 'In', 3)), 4, false],
    ['restart for a code that is not excluded', never(rule('Restart', 'NotIn', 0)), 1, true],
    ['leave an excluded one to the policy', never(rule('Restart', 'NotIn', 0)), 0, false],
    ['count a restart of all as one', never(rule('RestartAllContainers', 'In', 3)), 3, true],
  ])('%s', (_, spec, exitCode, expected) => {
    expect(shouldRestart(aPod(), spec, { exitCode, because: undefined })).toBe(expected);
  });

  test('go by the first that fits', () => {
    const spec = never(rule('Restart', 'In', 3), rule('RestartAllContainers', 'NotIn', 0));
    expect(asksRestartOfAll(spec, { exitCode: 3, because: undefined })).toBe(false);
    expect(asksRestartOfAll(spec, { exitCode: 4, because: undefined })).toBe(true);
  });

  test('are not asked when a probe killed', () => {
    const spec = never(rule('Restart', 'NotIn', 999));
    expect(shouldRestart(aPod(), spec, { exitCode: 137, because: 'liveness' })).toBe(false);
    expect(
      asksRestartOfAll(never(rule('RestartAllContainers', 'NotIn', 999)), { exitCode: 137, because: 'startup' }),
    ).toBe(false);
  });
});

describe('the restart after a probe’s kill', () => {
  const killed = (
    finished: number,
    last: number | undefined,
    delay: number | undefined,
    shown = false,
  ): ContainerRecord => {
    const [only] = withContainer(aRecord(aPod()), {
      state: {
        phase: 'exited',
        terminated: { ...ended(137), finishedMono: at(finished) },
        because: 'liveness',
        shown: shown ? { reason: 'CrashLoopBackOff', message: '' } : undefined,
      },
      last: last === undefined ? undefined : { ...ended(137), finishedMono: at(last) },
      backoff: delay === undefined ? undefined : { delay, updatedAt: at(0) },
    }).containers;
    if (only === undefined) throw new RangeError('no container');
    return only;
  };

  test('waits for nothing the first time, and leaves no back-off', () => {
    expect(restartWaitsUntil(killed(5, undefined, undefined), at(5))).toBeUndefined();
    expect(backoffAfterRestart(killed(5, undefined, undefined), at(5))).toBeUndefined();
  });

  test('begins a back-off the second time', () => {
    expect(restartWaitsUntil(killed(5, 2, undefined), at(5))).toBeUndefined();
    expect(backoffAfterRestart(killed(5, 2, undefined), at(5))).toEqual({ delay: 10, updatedAt: at(5) });
  });

  test('looks at the end before when it asks whether to wait', () => {
    expect(restartWaitsUntil(killed(15, 2, 10), at(15))).toBeUndefined();
    expect(backoffAfterRestart(killed(15, 2, 10), at(15))).toEqual({ delay: 20, updatedAt: at(15) });
  });

  test('waits from its own end once it has to wait at all', () => {
    expect(restartWaitsUntil(killed(8, 2, 10), at(8))).toBe(at(18));
    expect(restartWaitsUntil(killed(8, 2, 10, true), at(13))).toBe(at(18));
    expect(restartWaitsUntil(killed(8, 2, 10, true), at(18))).toBeUndefined();
  });
});

describe('the back-off', () => {
  test.each([
    [
      'starts at once, then waits 10 s and doubles up to 300 s',
      [1, 1, 1, 1, 1, 1, 1, 1, 1],
      [0, 10, 20, 40, 80, 160, 300, 300, 300],
    ],
    ['counts instances that end at once the same way', [0, 0, 0, 0], [0, 10, 20, 40]],
    ['forgets after an instance that ran longer than ten minutes', [1, 1, 1, 601, 1, 1], [0, 10, 20, 0, 10, 20]],
    ['does not forget after exactly ten minutes', [1, 1, 1, 600, 1], [0, 10, 20, 40, 80]],
    ['does not count the first instance towards forgetting', [100_000, 1], [0, 10]],
  ])('%s', (_, ran, expected) => {
    expect(waits(ran)).toEqual(expected);
  });

  test('is measured from the exit, not from when it was looked at', () => {
    const backoff = { delay: 20, updatedAt: START };
    const finished = START + seconds(5);
    expect(backoffUntil(backoff, finished, finished + seconds(19.9))).toBe(finished + seconds(20));
    expect(backoffUntil(backoff, finished, finished + seconds(20))).toBeUndefined();
  });

  test('restarts are never closer than the wait says, never over five minutes apart', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 900 }), { maxLength: 30 }), (ran) => {
        const got = waits(ran);
        got.forEach((wait, index) => {
          expect([0, 10, 20, 40, 80, 160, 300]).toContain(wait);
          const before = got[index - 1];
          const grows = before === undefined || wait === (before === 0 ? 10 : Math.min(300, before * 2));
          expect(grows || (wait === 0 && (ran[index] ?? 0) > 600)).toBe(true);
        });
      }),
    );
  });
});

test.each([
  [0, '0s'],
  [10, '10s'],
  [59, '59s'],
  [60, '1m0s'],
  [80, '1m20s'],
  [160, '2m40s'],
  [300, '5m0s'],
  [3600, '1h0m0s'],
  [3725, '1h2m5s'],
])('%i seconds read %s as in Go', (whole, text) => {
  expect(goDuration(whole)).toBe(text);
});
