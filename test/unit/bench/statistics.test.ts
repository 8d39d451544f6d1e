import { expect, test } from 'vitest';
import { median, percentile } from '../../../bench/statistics.ts';

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[7], 7],
  [[10, 9], 9.5],
])('the median of %j is %d', (figures, expected) => {
  expect(median(figures)).toBe(expected);
});

test.each([
  [0.95, 95],
  [0.5, 50],
  [1, 100],
  [0, 1],
])('of one to a hundred a share of %d does not exceed %d', (share, expected) => {
  expect(
    percentile(
      Array.from({ length: 100 }, (_, i) => 100 - i),
      share,
    ),
  ).toBe(expected);
});
