import { describe, expect, test } from 'vitest';
import type { Role } from '../../../src/manifest/pod.ts';
import { limitsStorage, overStorage } from '../../../src/pod/storage.ts';
import { aPod } from '../../support/pods.ts';

const MIB = 2 ** 20;

function podOf(...limits: readonly (readonly [limit: string, role?: Role])[]) {
  const containers = limits.map(([limit, role = 'main'], i) => ({
    name: `c${i}`,
    role,
    resources: { limits: limit === '' ? {} : { 'ephemeral-storage': limit }, requests: {} },
  }));
  return aPod({ containers });
}

const use = (pod: number, ...containers: readonly number[]) => ({
  pod: pod * MIB,
  containers: new Map(containers.map((bytes, i) => [`c${i}`, bytes * MIB])),
});

describe('ephemeral storage', () => {
  test('is of no interest where nobody limits it', () => {
    expect(limitsStorage(podOf([''], ['']))).toBe(false);
    expect(overStorage(podOf(['']), use(1000, 1000))).toBeUndefined();
  });

  test.each<[string, ReturnType<typeof podOf>, ReturnType<typeof use>, string | undefined]>([
    ['below', podOf(['10Mi']), use(10, 10), undefined],
    [
      'over together',
      podOf(['10Mi'], ['6Mi']),
      use(17, 8, 1),
      'Pod ephemeral local storage usage exceeds the total limit of containers 16Mi. ',
    ],
    [
      'over alone',
      podOf(['10Mi'], ['6Mi']),
      use(16, 1, 7),
      'Container c1 exceeded its local ephemeral storage limit "6Mi". ',
    ],
    [
      'over beside one without a limit',
      podOf([''], ['6Mi']),
      use(6.5, 6, 0),
      'Pod ephemeral local storage usage exceeds the total limit of containers 6Mi. ',
    ],
    ['an init container counts with the pod only', podOf(['10Mi', 'init'], ['6Mi']), use(10, 11, 1), undefined],
    [
      'a limit of nothing',
      podOf(['0']),
      use(1, 0),
      'Pod ephemeral local storage usage exceeds the total limit of containers 0. ',
    ],
  ])('%s', (_, pod, used, expected) => {
    expect(overStorage(pod, used)).toBe(expected);
  });
});
