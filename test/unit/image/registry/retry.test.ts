import { expect, test } from 'vitest';
import { PATIENCE, backOff, isTransientError, retryAfter } from '../../../../src/image/registry/retry.ts';

const now = new Date('2026-01-01T00:00:00Z');

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['120', 120_000],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
])('Retry-After: %s is %s ms', (header, expected) => {
  expect(retryAfter(header, now)).toBe(expected);
});

test('waits double, up to the longest, and differ from one client to the next', () => {
  expect([1, 2, 3, 4, 50].map((failures) => backOff(PATIENCE, failures, 1))).toEqual([500, 1000, 2000, 4000, 30_000]);
  expect(backOff(PATIENCE, 1, 0)).toBe(250);
});

test.each([
  ['ECONNRESET', true],
  ['UND_ERR_BODY_TIMEOUT', true],
  ['ECONNREFUSED', false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', false],
])('%s is met again: %s', (code, expected) => {
  expect(isTransientError(Object.assign(new Error(), { code }))).toBe(expected);
});
