import { describe, expect, test } from 'vitest';
import type { Limits } from '../../../src/container/cgroup/limits.ts';
import type { Pod, Resources, Role } from '../../../src/manifest/pod.ts';
import { qosClass } from '../../../src/pod/qos.ts';
import { cpuQuota, cpuShares, limitsOf, oomScoreAdj } from '../../../src/pod/resources.ts';
import { aPod } from '../../support/pods.ts';

type Amounts = Readonly<Record<string, string>>;
type Sketch = readonly [limits: Amounts, requests?: Amounts, role?: Role];

function podOf(sketches: readonly Sketch[], resources?: Resources): Pod {
  const containers = sketches.map(([most, requests = most, role = 'main'], i) => {
    return { name: `c${i}`, role, resources: { limits: most, requests } };
  });
  return { ...aPod({ containers }), resources };
}

function limits(pod: Pod, index: number): { readonly pod: Limits; readonly container: Limits } | undefined {
  const container = pod.containers[index];
  return container && limitsOf(pod, container);
}

const nothing: Limits = { cpuShares: undefined, cpuQuota: undefined, memory: undefined, hugePages: undefined };

describe('QoS class', () => {
  const both = { cpu: '1', memory: '1Gi' };
  test.each<[string, readonly Sketch[], Resources | undefined, string]>([
    ['nothing asked', [[{}], [{}]], undefined, 'BestEffort'],
    ['zeros asked', [[{ cpu: '0', memory: '0' }]], undefined, 'BestEffort'],
    ['storage asked only', [[{ 'ephemeral-storage': '1Gi' }]], undefined, 'BestEffort'],
    ['limits only, of everything', [[both], [both]], undefined, 'Guaranteed'],
    ['one without limits', [[both], [{}]], undefined, 'Burstable'],
    ['an init container without limits', [[{}, {}, 'init'], [both]], undefined, 'Burstable'],
    ['no memory', [[{ cpu: '1' }]], undefined, 'Burstable'],
    ['less requested than limited', [[both, { cpu: '500m', memory: '1Gi' }]], undefined, 'Burstable'],
    ['the same, written differently', [[both, { cpu: '1000m', memory: '1024Mi' }]], undefined, 'Guaranteed'],
    ['requests only', [[{}, both]], undefined, 'Burstable'],
    ['the whole pod', [[{}]], { limits: both, requests: both }, 'Guaranteed'],
    ['the whole pod, requests only', [[both]], { limits: {}, requests: both }, 'Burstable'],
  ])('%s', (_, sketches, resources, expected) => {
    expect(qosClass(podOf(sketches, resources))).toBe(expected);
  });
});

describe('arithmetic of CPU', () => {
  test.each([
    [0n, 2],
    [1n, 2],
    [100n, 102],
    [1000n, 1024],
    [10_000_000n, 262144],
  ])('%i m weighs %i shares', (milli, shares) => {
    expect(cpuShares(milli)).toBe(shares);
  });

  test.each([
    [1n, 1000],
    [10n, 1000],
    [250n, 25_000],
    [1500n, 150_000],
  ])('%i m is %i µs of 100 ms', (milli, quota) => {
    expect(cpuQuota(milli)).toBe(quota);
  });
});

describe('cgroups', () => {
  test('are left alone where nothing is asked for', () => {
    expect(limits(podOf([[{}], [{ 'ephemeral-storage': '1Gi' }]]), 0)).toBeUndefined();
  });

  test('of a container have its own, of the pod the sum when every one has a limit', () => {
    const pod = podOf([
      [
        { cpu: '250m', memory: '64Mi' },
        { cpu: '100m', memory: '32Mi' },
      ],
      [{ cpu: '1', memory: '16Mi' }],
    ]);
    expect(limits(pod, 0)).toEqual({
      container: { ...nothing, cpuShares: 102, cpuQuota: 25_000, memory: 64n << 20n },
      pod: { ...nothing, cpuShares: 1126, cpuQuota: 125_000, memory: 80n << 20n },
    });
  });

  test('of the pod have no limit that one container has not', () => {
    const pod = podOf([[{ cpu: '250m', memory: '64Mi' }], [{ cpu: '1' }]]);
    expect(limits(pod, 0)?.pod).toEqual({ ...nothing, cpuShares: 1280, cpuQuota: 125_000 });
    expect(limits(pod, 1)?.container).toEqual({ ...nothing, cpuShares: 1024, cpuQuota: 100_000 });
  });

  test('a container that asks for no CPU beside one that does has the least weight', () => {
    expect(limits(podOf([[{ cpu: '1' }], [{}]]), 1)?.container).toEqual({ ...nothing, cpuShares: 2 });
  });

  test('memory alone says nothing about CPU', () => {
    expect(limits(podOf([[{ memory: '1Mi' }]]), 0)?.container).toEqual({ ...nothing, memory: 1n << 20n });
  });

  test('a fraction of a byte is a whole one', () => {
    expect(limits(podOf([[{ memory: '1500m' }]]), 0)?.container.memory).toBe(2n);
  });

  test('init containers run beside the sidecars before them only', () => {
    const pod = podOf([
      [{ memory: '10' }, {}, 'sidecar'],
      [{ memory: '100' }, {}, 'init'],
      [{ memory: '1000' }, {}, 'sidecar'],
      [{ memory: '50' }, {}, 'main'],
    ]);
    expect(limits(pod, 0)?.pod.memory).toBe(1060n);
    const peak = podOf([
      [{ memory: '10' }, {}, 'sidecar'],
      [{ memory: '2000' }, {}, 'init'],
      [{ memory: '50' }, {}, 'main'],
    ]);
    expect(limits(peak, 0)?.pod.memory).toBe(2010n);
  });

  test('what the whole pod may use holds for each container without a limit', () => {
    const pod = podOf([[{ memory: '16Mi' }], [{}]], { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1' } });
    expect(limits(pod, 1)).toEqual({
      container: { ...nothing, cpuShares: 1024, cpuQuota: 100_000, memory: 64n << 20n },
      pod: { ...nothing, cpuShares: 1024, cpuQuota: 100_000, memory: 64n << 20n },
    });
    expect(limits(pod, 0)?.container.memory).toBe(16n << 20n);
  });

  test('who asks for no huge pages in a pod that has some gets none', () => {
    const pod = podOf([[{ cpu: '1', 'hugepages-2Mi': '4Mi' }], [{ cpu: '1' }]]);
    expect(limits(pod, 0)?.container.hugePages).toEqual(new Map([[2n << 20n, 4n << 20n]]));
    expect(limits(pod, 1)?.container.hugePages).toEqual(new Map([[2n << 20n, 0n]]));
    expect(limits(pod, 1)?.pod.hugePages).toEqual(new Map([[2n << 20n, 4n << 20n]]));
  });
});

describe('oom_score_adj', () => {
  const GIB = 2 ** 30;
  test.each<[string, Pod, number, number]>([
    ['Guaranteed', podOf([[{ cpu: '1', memory: '1Gi' }]]), 0, -997],
    ['BestEffort', podOf([[{}]]), 0, 1000],
    ['half of the host', podOf([[{}, { memory: '8Gi' }]]), 0, 500],
    ['all of the host', podOf([[{}, { memory: '16Gi' }]]), 0, 3],
    ['next to nothing', podOf([[{}, { memory: '1Mi' }]]), 0, 999],
    ['no memory of its own', podOf([[{}, { memory: '8Gi' }], [{}]]), 1, 999],
    [
      'a sidecar goes with the one it is for',
      podOf([
        [{}, { memory: '1Gi' }, 'sidecar'],
        [{}, { memory: '8Gi' }],
      ]),
      0,
      500,
    ],
    ['a part of what the pod asks for', podOf([[{}], [{}]], { limits: {}, requests: { memory: '8Gi' } }), 0, 750],
  ])('%s', (_, pod, index, expected) => {
    const container = pod.containers[index];
    expect(container && oomScoreAdj(pod, container, 16 * GIB)).toBe(expected);
  });
});
