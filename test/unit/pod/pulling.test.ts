import { describe, expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import { type PullBackoff, goTime, nextPullBackoff, pulledText } from '../../../src/pod/pulling.ts';

describe('the back-off of pulls', () => {
  test('doubles from 10 s to 300 s', () => {
    const delays: number[] = [];
    let backoff: PullBackoff | undefined;
    let now = 0n;
    for (let i = 0; i < 7; i++) {
      backoff = nextPullBackoff(backoff, now);
      delays.push(backoff.delay);
      now += seconds(backoff.delay);
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  test('begins again after ten minutes without a failure', () => {
    const before = { delay: 160, failedAt: 0n };
    expect(nextPullBackoff(before, seconds(600)).delay).toBe(300);
    expect(nextPullBackoff(before, seconds(601)).delay).toBe(10);
  });
});

test.each([
  [0, '0s'],
  [0.0009, '0s'],
  [0.834, '834ms'],
  [1, '1s'],
  [1.25, '1.25s'],
  [62.5, '1m2.5s'],
  [3600, '1h0m0s'],
])('%s s in the words of Go are %s', (time, expected) => {
  expect(goTime(seconds(time))).toBe(expected);
});

test("a pull's end is told in the words of the kubelet", () => {
  expect(pulledText('a:1', seconds(1.5), seconds(2), 100)).toBe(
    'Successfully pulled image "a:1" in 1.5s (2s including waiting). Image size: 100 bytes.',
  );
});
