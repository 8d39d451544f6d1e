import { describe, expect, test } from 'vitest';
import { plan } from '../../../src/pod/plan.ts';
import { afterReboot } from '../../../src/pod/reboot.ts';
import type { ContainerState, PodRecord } from '../../../src/pod/record.ts';
import { aPod, aRecord, deepFreeze, withContainer } from '../../support/pods.ts';
import {
  T,
  at,
  creating,
  ended,
  exited,
  open,
  running,
  starting,
  stopping,
  waiting,
  wall,
  wish,
} from '../../support/records.ts';

/** By the clock of the new boot, which has hardly begun. */
const moment = { at: 5_000_000_000n, wall: '2026-01-02T00:00:00.000Z' };
const pod = deepFreeze(aPod({ containers: [{ name: 'c' }] }));

function rebooted(state: ContainerState, changes: Partial<PodRecord> = {}): PodRecord {
  const record = aRecord(pod, { sandbox: { phase: 'ready', ip: '10.0.0.2' }, startedMono: T, ...changes });
  return afterReboot(deepFreeze(withContainer(record, { state, backoff: { delay: 40, updatedAt: T } })), moment, 'new');
}

describe('after a restart of the host', () => {
  test.each<[string, ContainerState]>([
    ['created', creating],
    ['started', starting],
    ['running', running],
    ['being stopped', stopping({ signaled: { at: T, killAt: at(600) } })],
  ])('a container that was %s is lost', (_, state) => {
    expect(rebooted(state).containers[0]?.state).toMatchObject({
      phase: 'exited',
      terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', finishedAt: moment.wall, containerId: 'i' },
      because: undefined,
    });
  });

  test('one that had ended keeps its end', () => {
    expect(rebooted(exited(3)).containers[0]?.state).toMatchObject({ terminated: { exitCode: 3, finishedAt: wall } });
  });

  test.each<[string, ContainerState, Partial<PodRecord>]>([
    ['running', running, {}],
    ['exited', exited(1), {}],
    ['waiting for its next try', waiting(at(100)), {}],
    ['after an instance', running, { sandbox: { phase: 'failed', message: 'x', retryAt: at(100) } }],
    ['being deleted', stopping(), { termination: wish({ grace: 600, hooksUntil: at(600), killBy: at(600) }) }],
  ])('no stamp of the earlier boot is waited for: %s', (_, state, changes) => {
    const record = rebooted(state, changes);
    expect(record.bootId).toBe('new');
    expect(stampsIn(record).filter((stamp) => stamp !== moment.at)).toEqual([]);
    expect(plan(pod, record, moment.at).wakeAt ?? moment.at).toBeLessThanOrEqual(moment.at);
  });

  test('hooks and probes that were under way are forgotten', () => {
    const record = aRecord(pod, { sandbox: { phase: 'ready', ip: '10.0.0.2' } });
    const before = withContainer(record, { state: running, hooks: { postStart: open, preStop: open }, last: ended(1) });
    const [container] = afterReboot(deepFreeze(before), moment, 'new').containers;
    expect(container).toMatchObject({ hooks: { postStart: undefined, preStop: undefined }, probes: {} });
    expect(container?.last?.finishedMono).toBe(moment.at);
  });

  test('a pod that had ended stays as it is', () => {
    const over = rebooted(exited(0), { ended: { phase: 'Succeeded', wall } });
    expect(over).toMatchObject({ bootId: 'new', ended: { phase: 'Succeeded', wall } });
  });
});

function stampsIn(value: unknown): bigint[] {
  if (typeof value === 'bigint') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stampsIn) : [];
}
