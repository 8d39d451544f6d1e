import { describe, expect, test } from 'vitest';
import type { ContainerState } from '../../../src/pod/record.ts';
import { podStatus } from '../../../src/pod/status.ts';
import { aPod, aRecord, withContainer } from '../../support/pods.ts';

const wall = '2026-01-01T00:00:05.999Z';
const running: ContainerState = { phase: 'running', id: 'ab', startedAt: wall, startedMono: 1n };
const exited: ContainerState = {
  phase: 'exited',
  terminated: {
    ...{ exitCode: 0, reason: 'Completed', message: undefined, startedAt: wall },
    ...{ finishedAt: wall, finishedMono: 2n, containerId: 'ab' },
  },
  because: undefined,
  shown: undefined,
};

describe('who a container is', () => {
  const user = { uid: 7, gid: 9, groups: [9, 4000, 3000] };
  const statusOf = (state: ContainerState): unknown => {
    const pod = aPod();
    return podStatus(pod, withContainer(aRecord(pod), { state, user })).containerStatuses?.[0];
  };

  test.each([
    ['while it runs', running],
    ['when it is over', exited],
  ])('is told %s', (_, state) => {
    expect(statusOf(state)).toMatchObject({ user: { linux: { uid: 7, gid: 9, supplementalGroups: [9, 3000, 4000] } } });
  });

  test('is not told of one that never was', () => {
    expect(statusOf({ phase: 'waiting', reason: 'ErrImagePull', retryAt: 1n })).not.toHaveProperty('user');
  });
});
