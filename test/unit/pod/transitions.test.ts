import { describe, expect, test } from 'vitest';
import type { ContainerState, PodRecord } from '../../../src/pod/record.ts';
import { podObject } from '../../../src/pod/status.ts';
import { type PodEvent, stepPod } from '../../../src/pod/step.ts';
import { aPod, aRecord, deepFreeze, withContainer } from '../../support/pods.ts';
import { T, exited, running } from '../../support/records.ts';

const pod = deepFreeze(aPod({ containers: [{ name: 'c' }] }));
const wallAt = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.700Z`;
const stamp = (second: number): string => wallAt(second).replace('.700Z', 'Z');

/** What happens in each second, and then the moments of the conditions. */
function after(steps: readonly (readonly [second: number, event: PodEvent, state?: ContainerState])[]) {
  let record: PodRecord = deepFreeze(aRecord(pod));
  for (const [second, event, state] of steps) {
    const before = state === undefined ? record : withContainer(record, { state });
    record = deepFreeze(stepPod(pod, before, event, { at: T, wall: wallAt(second) }).record);
  }
  const conditions = podObject(pod, record).status?.conditions ?? [];
  return Object.fromEntries(
    conditions.map(({ type, status, lastTransitionTime }) => [type, [status, lastTransitionTime]]),
  );
}

const sandbox: PodEvent = { kind: 'sandboxReady', ip: '10.0.0.2' };
const gone: PodEvent = { kind: 'sandboxRemoved' };
const taken: PodEvent = { kind: 'taken' };

describe('lastTransitionTime', () => {
  test('is the creation as long as nothing happened', () => {
    expect(after([])).toMatchObject({ Ready: ['False', '2026-01-01T00:00:00Z'], PodScheduled: ['True', stamp(0)] });
  });

  test('changes with the status of its own condition, and with nothing else', () => {
    expect(
      after([
        [1, taken],
        [2, sandbox],
        [4, taken, running],
      ]),
    ).toEqual({
      PodReadyToStartContainers: ['True', stamp(2)],
      Initialized: ['True', stamp(1)],
      Ready: ['True', stamp(4)],
      ContainersReady: ['True', stamp(4)],
      PodScheduled: ['True', stamp(1)],
    });
  });

  test('stays when only the reason is another', () => {
    const { Ready } = after([
      [1, taken],
      [2, sandbox],
      [3, taken, running],
      [5, taken, exited(1)],
      [7, gone],
      [9, { kind: 'ended' }],
    ]);
    expect(Ready).toEqual(['False', stamp(5)]);
  });

  test('is new when a status comes back', () => {
    const { Ready } = after([
      [2, sandbox, running],
      [3, taken, exited(1)],
      [6, taken, running],
    ]);
    expect(Ready).toEqual(['True', stamp(6)]);
  });
});
