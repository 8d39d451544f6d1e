import type {
  ContainerState as V1ContainerState,
  ContainerStatus,
  PodCondition,
  PodStatus,
} from 'kubernetes-types/core/v1.js';
import type { Pod, V1Pod } from '../manifest/pod.ts';
import type { ContainerRecord, PodRecord, Terminated } from './record.ts';
import { shouldRestart } from './restart.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The v1 Pod with its true status: what `kubectl get -o yaml` would show of it. */
export function podObject(pod: Pod, record: PodRecord): V1Pod {
  const { termination } = record;
  return {
    ...pod.object,
    metadata: {
      ...pod.object.metadata,
      name: pod.name,
      namespace: pod.namespace,
      uid: record.uid,
      creationTimestamp: truncated(record.createdAt),
      generation: 1,
      ...(termination?.remove === true
        ? {
            deletionTimestamp: truncated(
              new Date(Date.parse(termination.requestedWall) + termination.grace * 1000).toISOString(),
            ),
            deletionGracePeriodSeconds: termination.grace,
          }
        : {}),
    },
    status: podStatus(pod, record),
  };
}

/** status of the pod (pkg/kubelet/kubelet_pods.go: generateAPIPodStatus). */
export function podStatus(pod: Pod, record: PodRecord): PodStatus {
  const phase = podPhase(pod, record);
  const ip = record.sandbox.phase === 'ready' || record.sandbox.phase === 'removed' ? record.sandbox.ip : undefined;
  return {
    phase,
    conditions: conditions(record, phase),
    ...(record.startedAt === undefined ? {} : { startTime: truncated(record.startedAt) }),
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    containerStatuses: record.containers.map((container) => containerStatus(pod, record, container)),
    qosClass: 'BestEffort',
  };
}

/** Phase by the kubelet's counts (kubelet_pods.go: getPhase); an ended pod keeps its last one. */
export function podPhase(pod: Pod, record: PodRecord): Phase {
  if (record.ended !== undefined) return record.ended.phase;
  const count = { running: 0, waiting: 0, stopped: 0, succeeded: 0, restarting: 0 };
  for (const container of record.containers) {
    const { state } = visible(pod, record, container);
    if (state.running !== undefined) count.running++;
    else if (state.terminated !== undefined) {
      count.stopped++;
      if (state.terminated.exitCode === 0) count.succeeded++;
      if (record.termination === undefined && shouldRestart(pod.restartPolicy, state.terminated.exitCode)) {
        count.restarting++;
      }
    } else if (container.last !== undefined || container.state.phase === 'exited') {
      count.stopped++;
      count.restarting++;
    } else count.waiting++;
  }
  if (count.waiting > 0) return 'Pending';
  if (count.running > 0) return 'Running';
  if (count.restarting > 0) return 'Running';
  // A pod that is being torn down gets its final phase only once everything is released (SyncTerminatedPod).
  if (isBeingEnded(record) || record.containers.some(hasOpenHook)) return 'Running';
  return count.stopped === count.succeeded ? 'Succeeded' : 'Failed';
}

/** Whether a wish to end the pod came before its containers were done: a phase that was final stays so. */
function isBeingEnded({ termination, containers }: PodRecord): boolean {
  if (termination === undefined) return false;
  return containers.some(
    ({ state }) => state.phase !== 'exited' || state.terminated.finishedMono >= termination.requestedAt,
  );
}

export interface Visible {
  readonly state: V1ContainerState;
  readonly lastState: V1ContainerState;
  readonly ready: boolean;
  readonly started: boolean;
}

/** What a container looks like from outside: RUNNING only after postStart, the back-off instead of the exit behind it. */
export function visible(pod: Pod, record: PodRecord, container: ContainerRecord): Visible {
  const { state, last } = container;
  const lastState = last === undefined ? {} : { terminated: terminatedState(last) };
  const quiet = { lastState, ready: false, started: false };
  switch (state.phase) {
    case 'waiting':
      // Once the pod is being ended, the kubelet no longer says why a container could not be made.
      if (record.termination !== undefined) return { ...quiet, ...pendingView({ ...container, lastShown: undefined }) };
      return { ...quiet, state: { waiting: waiting(state.reason, state.message) } };
    case 'creating':
    case 'starting':
      return { ...quiet, ...pendingView(container) };
    case 'running':
      return { state: running(state.startedAt), lastState, ready: true, started: true };
    case 'stopping':
      if (!state.wasRunning) return { ...quiet, ...pendingView(container) };
      return { state: running(state.startedAt), lastState, ready: true, started: true };
    case 'exited': {
      const again =
        record.termination === undefined &&
        record.ended === undefined &&
        shouldRestart(pod.restartPolicy, state.terminated.exitCode);
      if (again && state.shown !== undefined) {
        const behind = { terminated: terminatedState(state.terminated) };
        return { ...quiet, state: { waiting: waiting(state.shown.reason, state.shown.message) }, lastState: behind };
      }
      return { ...quiet, state: { terminated: terminatedState(state.terminated) } };
    }
    default:
      return state satisfies never;
  }
}

/** A first start shows ContainerCreating until postStart has returned; a restart shows what stood there before. */
function pendingView(container: ContainerRecord): { state: V1ContainerState; lastState: V1ContainerState } {
  const { last, lastShown } = container;
  if (last === undefined) return { state: { waiting: { reason: 'ContainerCreating' } }, lastState: {} };
  const lastState = { terminated: terminatedState(last) };
  if (lastShown === undefined) return { state: lastState, lastState };
  return { state: { waiting: waiting(lastShown.reason, lastShown.message) }, lastState };
}

function containerStatus(pod: Pod, record: PodRecord, container: ContainerRecord): ContainerStatus {
  const seen = visible(pod, record, container);
  const spec = pod.containers.find((one) => one.name === container.name);
  const id = containerId(container);
  return {
    name: container.name,
    state: seen.state,
    lastState: seen.lastState,
    ready: seen.ready,
    started: seen.started,
    restartCount: shownRestarts(container),
    image: container.image?.name ?? spec?.image ?? '',
    imageID: container.image?.id ?? '',
    ...(id === undefined ? {} : { containerID: `minirt://${id}` }),
  };
}

/** While a new instance is only being made, the count is still that of the one before, as its state is. */
export function shownRestarts(container: ContainerRecord): number {
  const { state, restartCount, last } = container;
  const unseen =
    state.phase === 'creating' || state.phase === 'starting' || (state.phase === 'stopping' && !state.wasRunning);
  return unseen && last !== undefined ? restartCount - 1 : restartCount;
}

function containerId(container: ContainerRecord): string | undefined {
  const { state } = container;
  if (state.phase === 'waiting') return container.last?.containerId;
  const id = state.phase === 'exited' ? state.terminated.containerId : state.id;
  return id === '' ? undefined : id;
}

/** Conditions in the kubelet's order (pkg/kubelet/status/generate.go). */
function conditions(record: PodRecord, phase: Phase): PodCondition[] {
  const over = phase === 'Succeeded' || phase === 'Failed';
  const unready = record.containers.filter((container) => !isReady(container)).map((container) => container.name);
  const ready: Omit<PodCondition, 'type'> = over
    ? { status: 'False', reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : unready.length === 0
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  return [
    { type: 'PodReadyToStartContainers', status: record.sandbox.phase === 'ready' ? 'True' : 'False' },
    { type: 'Initialized', status: 'True', ...(phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
    { type: 'PodScheduled', status: 'True' },
  ];
}

/** Whether the pod's Ready condition is True. */
export function podReady(record: PodRecord): boolean {
  return record.ended === undefined && record.containers.every(isReady);
}

function isReady({ state }: ContainerRecord): boolean {
  return state.phase === 'running' || (state.phase === 'stopping' && state.wasRunning);
}

function hasOpenHook({ hooks }: ContainerRecord): boolean {
  return [hooks.postStart, hooks.preStop].some((run) => run !== undefined && run.ended === undefined);
}

function running(startedAt: string): V1ContainerState {
  return { running: { startedAt: truncated(startedAt) } };
}

function waiting(reason: string, message: string | undefined): NonNullable<V1ContainerState['waiting']> {
  return { reason, ...(message === undefined ? {} : { message }) };
}

function terminatedState(exit: Terminated): NonNullable<V1ContainerState['terminated']> {
  return {
    exitCode: exit.exitCode,
    reason: exit.reason,
    ...(exit.message === undefined ? {} : { message: exit.message }),
    startedAt: exit.startedAt === undefined ? '1970-01-01T00:00:00Z' : truncated(exit.startedAt),
    finishedAt: truncated(exit.finishedAt),
    ...(exit.containerId === '' ? {} : { containerID: `minirt://${exit.containerId}` }),
  };
}

/** Kubernetes' timestamps are whole seconds. */
export function truncated(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}
