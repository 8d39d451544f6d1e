import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { claimIds, idsOf, releaseIds } from '../../../src/pod/act/users.ts';

const folder = mkdtempSync('/tmp/mrt-ids-');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('every pod has a range of its own, the same until it lets go', () => {
  const state = join(folder, 's');
  expect(idsOf(state, 'a')).toBeUndefined();
  releaseIds(state, 'a');
  const uids = Array.from({ length: 20 }, (_, i) => `pod-${i}`);
  const ranges = uids.map((uid) => claimIds(state, uid));
  expect(new Set(ranges.map(({ first }) => first)).size).toBe(20);
  for (const { first, count } of ranges) {
    expect(count).toBe(65536);
    expect(first % 65536).toBe(0);
    expect(first).toBeGreaterThanOrEqual(0x70000000);
    expect(first + count - 1).toBeLessThanOrEqual(0x7fffffff);
  }
  expect(uids.map((uid) => claimIds(state, uid))).toEqual(ranges);
  expect(uids.map((uid) => idsOf(state, uid))).toEqual(ranges);
  for (const uid of uids) releaseIds(state, uid);
  expect(readdirSync(join(state, 'users'))).toEqual([]);
});

test('two state folders do not begin at the same place', () => {
  const firsts = Array.from({ length: 8 }, (_, i) => claimIds(join(folder, `state-${i}`), 'pod').first);
  expect(new Set(firsts).size).toBeGreaterThan(1);
});
