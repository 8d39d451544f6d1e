import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import type { Backoff } from '../../../src/pod/record.ts';
import { backoffUntil, goDuration, nextBackoff, shouldRestart } from '../../../src/pod/restart.ts';
import { aContainer, aPod } from '../../support/pods.ts';

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
