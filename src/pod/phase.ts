import type { Pod } from '../manifest/pod.ts';
import { type Member, isDown, isInitialized, membersOf } from './order.ts';
import type { PodRecord } from './record.ts';
import { type Ending, shouldRestart } from './restart.ts';
import { type Visible, visible } from './visible.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** Phase by the kubelet's counts (kubelet_pods.go: getPhase); an ended pod keeps its last one. */
export function podPhase(pod: Pod, record: PodRecord): Phase {
  if (record.ended !== undefined) return record.ended.phase;
  const seen = (member: Member): Seen => ({ ...member, ...visible(pod, record, member.container) });
  const inits = membersOf(pod, record, 'init').map(seen);
  const sidecars = membersOf(pod, record, 'sidecar').map(seen);
  const mains = membersOf(pod, record, 'main').map(seen);
  // A final phase is shown only once nothing runs any more (status_manager.go: mergePodStatus).
  const held = isBeingEnded(record) || !record.containers.every(isDown);
  const final = (phase: Phase): Phase => (held ? (isInitialized(pod, record) ? 'Running' : 'Pending') : phase);
  if (inits.some((one) => failed(one) && !comesAgain(pod, record, one))) return final('Failed');
  const active = mains.some(({ state }) => state.running !== undefined || state.terminated !== undefined);
  if (inits.some(isPending) || (!active && sidecars.some(isUnstarted))) return 'Pending';
  if (mains.some(isNew)) return 'Pending';
  if (mains.some(({ state }) => state.running !== undefined)) return 'Running';
  if (mains.some((one) => comesAgain(pod, record, one))) return 'Running';
  return final(mains.every(({ state }) => state.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed');
}

type Seen = Member & Visible;

/** Waits for its first instance. */
function isNew({ state, lastState, container }: Seen): boolean {
  return state.waiting !== undefined && lastState.terminated === undefined && container.state.phase !== 'exited';
}

function isPending(one: Seen): boolean {
  return one.state.running !== undefined || isNew(one);
}

function isUnstarted(one: Seen): boolean {
  return (one.state.running !== undefined && !one.started) || isNew(one);
}

function failed({ state, lastState }: Seen): boolean {
  const end = state.terminated ?? (state.waiting === undefined ? undefined : lastState.terminated);
  return end !== undefined && end.exitCode !== 0;
}

/** Whether another instance is to be expected. */
function comesAgain(pod: Pod, record: PodRecord, { container, spec, state }: Seen): boolean {
  if (state.waiting !== undefined) return true;
  if (state.terminated === undefined || record.termination !== undefined) return false;
  const because = container.state.phase === 'exited' ? container.state.because : undefined;
  const ending: Ending = { exitCode: state.terminated.exitCode, reason: state.terminated.reason ?? '', because };
  return shouldRestart(pod, spec, ending);
}

/** Whether a wish to end the pod came before its containers were done: a phase that was final stays so. */
function isBeingEnded({ termination, containers }: PodRecord): boolean {
  if (termination === undefined) return false;
  return containers.some(
    ({ state }) => state.phase !== 'exited' || state.terminated.finishedMono >= termination.requestedAt,
  );
}
