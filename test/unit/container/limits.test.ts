import { describe, expect, test } from 'vitest';
import {
  type Limits,
  containerWeight,
  podWeight,
  unifiedKnobs,
  v1Knobs,
} from '../../../src/container/cgroup/limits.ts';

const all: Limits = {
  cpuShares: 102,
  cpuQuota: 25_000,
  memory: 67_108_864n,
  hugePages: new Map([
    [65_536n, 0n],
    [2_097_152n, 4_194_304n],
    [1n << 30n, 0n],
  ]),
};
const line = ({ file, value }: { readonly file: string; readonly value: string }): string => `${file} ${value}`;

test('on the unified hierarchy', () => {
  expect(unifiedKnobs(all, 'container').map(line)).toEqual([
    'cpu.weight 17',
    'cpu.max 25000 100000',
    'memory.max 67108864',
    'memory.swap.max 0',
    'memory.oom.group 1',
    'hugetlb.64KB.max 0',
    'hugetlb.64KB.rsvd.max 0',
    'hugetlb.2MB.max 4194304',
    'hugetlb.2MB.rsvd.max 4194304',
    'hugetlb.1GB.max 0',
    'hugetlb.1GB.rsvd.max 0',
  ]);
});

test('a pod is not killed as a whole', () => {
  expect(unifiedKnobs({ ...all, hugePages: undefined }, 'pod').map(line)).toEqual([
    'cpu.weight 4',
    'cpu.max 25000 100000',
    'memory.max 67108864',
    'memory.swap.max 0',
  ]);
});

test('on cgroup v1, the period before the quota and memory before memory with swap', () => {
  expect(v1Knobs(all).map(line).slice(0, 6)).toEqual([
    'cpu.shares 102',
    'cpu.cfs_period_us 100000',
    'cpu.cfs_quota_us 25000',
    'memory.limit_in_bytes 67108864',
    'memory.memsw.limit_in_bytes 67108864',
    'memory.swappiness 0',
  ]);
});

test('only the weight is a wish', () => {
  const wishes = [...unifiedKnobs(all, 'pod'), ...v1Knobs(all)].filter(({ need }) => need === 'wish');
  expect(wishes.map(({ file }) => file)).toEqual(['cpu.weight', 'cpu.shares']);
});

describe('weights', () => {
  test.each([
    [2, 1, 1],
    [102, 4, 17],
    [1024, 39, 100],
    [262144, 10000, 10000],
  ])('of %i shares: %i for a pod, %i for a container', (shares, pod, container) => {
    expect([podWeight(shares), containerWeight(shares)]).toEqual([pod, container]);
  });

  test('never fall, and stay what the kernel takes', () => {
    let [pod, container] = [0, 0];
    for (let shares = 2; shares <= 262144; shares += 97) {
      expect(podWeight(shares)).toBeGreaterThanOrEqual(pod);
      expect(containerWeight(shares)).toBeGreaterThanOrEqual(container);
      [pod, container] = [podWeight(shares), containerWeight(shares)];
      expect(container).toBeLessThanOrEqual(10000);
    }
  });
});
