import type { Moment } from './container-event.ts';
import type { ContainerRecord, PodRecord, Terminated } from './record.ts';

/**
 * A record that was written before the host was restarted, as it holds now: no process of it lives, and no stamp of its
 * monotonic clock means anything. What ran counts as lost, then the restart policy applies; what was asked to end has.
 */
export function afterReboot(record: PodRecord, moment: Moment, bootId: string): PodRecord {
  if (record.ended !== undefined) return { ...record, bootId };
  const { termination, sandbox } = record;
  return {
    ...record,
    bootId,
    startedMono: record.startedMono === undefined ? undefined : moment.at,
    // Of what it had made only files can be left, which the next attempt sweeps.
    sandbox:
      sandbox.phase === 'absent' || sandbox.phase === 'removed'
        ? sandbox
        : { phase: 'failed', message: RESTARTED, retryAt: moment.at },
    termination:
      termination === undefined
        ? undefined
        : { ...termination, requestedAt: moment.at, hooksUntil: moment.at, killBy: moment.at, now: true },
    containers: record.containers.map((container) => lostWithHost(container, moment)),
  };
}

const RESTARTED = 'the host was restarted';

function lostWithHost(container: ContainerRecord, moment: Moment): ContainerRecord {
  const { state, last } = container;
  const settled: ContainerRecord = {
    ...container,
    hooks: { postStart: undefined, preStop: undefined },
    probes: {},
    backoff: undefined,
    last: last === undefined ? undefined : { ...last, finishedMono: moment.at },
  };
  if (state.phase === 'waiting') {
    const { retryAt: _, pullBackOff: _later, ...waiting } = state;
    return { ...settled, state: waiting };
  }
  if (state.phase === 'exited') {
    return { ...settled, state: { ...state, terminated: { ...state.terminated, finishedMono: moment.at } } };
  }
  const terminated: Terminated = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: RESTARTED,
    startedAt: state.phase === 'creating' ? undefined : state.startedAt,
    finishedAt: moment.wall,
    finishedMono: moment.at,
    containerId: state.id,
  };
  return { ...settled, state: { phase: 'exited', terminated, because: undefined, shown: undefined } };
}
