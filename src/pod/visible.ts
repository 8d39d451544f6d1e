import type { ContainerState as V1ContainerState } from 'kubernetes-types/core/v1.js';
import type { Container, Pod } from '../manifest/pod.ts';
import { isReady, isStarted } from './probing.ts';
import { type ContainerRecord, type PodRecord, type Terminated, initSucceeded, notCreated } from './record.ts';
import { shouldRestart } from './restart.ts';

export interface Visible {
  readonly state: V1ContainerState;
  readonly lastState: V1ContainerState;
  readonly ready: boolean;
  readonly started: boolean;
}

/** What a container looks like from outside: RUNNING only after postStart, the back-off instead of the exit behind it. */
export function visible(pod: Pod, record: PodRecord, container: ContainerRecord): Visible {
  const { state, last } = container;
  const spec = pod.containers.find((one) => one.name === container.name);
  const lastState = last === undefined ? {} : { terminated: terminatedState(last) };
  const quiet = { lastState, ready: false, started: false };
  switch (state.phase) {
    case 'waiting':
      // Once the pod is being ended, the kubelet no longer says why a container could not be made.
      if (record.termination !== undefined) {
        return { ...quiet, ...pendingView(pod, { ...container, lastShown: undefined }) };
      }
      return { ...quiet, state: { waiting: waiting(state.reason, state.message) } };
    case 'creating':
    case 'starting':
      return { ...quiet, ...pendingView(pod, container) };
    case 'running':
      return { lastState, ...runningView(spec, container, state.startedAt) };
    case 'stopping':
      if (!state.wasRunning) return { ...quiet, ...pendingView(pod, container) };
      return { lastState, ...runningView(spec, container, state.startedAt) };
    case 'exited': {
      const { terminated, because, shown } = state;
      const ending = { ...terminated, because };
      const again = record.termination === undefined && spec !== undefined && shouldRestart(pod, spec, ending);
      if (again && shown !== undefined) {
        const behind = { terminated: terminatedState(terminated) };
        return { ...quiet, state: { waiting: waiting(shown.reason, shown.message) }, lastState: behind };
      }
      const done = spec?.role === 'init' && initSucceeded(terminated);
      return { ...quiet, state: { terminated: terminatedState(terminated) }, ready: done };
    }
    default:
      return state satisfies never;
  }
}

/** An init container that runs is started, but ready only once it is done (pkg/kubelet/prober: UpdatePodStatus). */
function runningView(
  spec: Container | undefined,
  container: ContainerRecord,
  startedAt: string,
): Omit<Visible, 'lastState'> {
  return {
    state: { running: { startedAt: truncated(startedAt) } },
    started: isStarted(container),
    ready: spec?.role !== 'init' && isReady(container),
  };
}

/** A first start shows ContainerCreating until postStart has returned; a restart shows what stood there before. */
function pendingView(pod: Pod, container: ContainerRecord): { state: V1ContainerState; lastState: V1ContainerState } {
  const { last, lastShown } = container;
  if (last === undefined) return { state: { waiting: { reason: notCreated(pod) } }, lastState: {} };
  const lastState = { terminated: terminatedState(last) };
  if (lastShown === undefined) return { state: lastState, lastState };
  return { state: { waiting: waiting(lastShown.reason, lastShown.message) }, lastState };
}

/** While a new instance is only being made, the count is still that of the one before, as its state is. */
export function shownRestarts(container: ContainerRecord): number {
  const { state, restartCount, last } = container;
  const unseen =
    state.phase === 'creating' || state.phase === 'starting' || (state.phase === 'stopping' && !state.wasRunning);
  return unseen && last !== undefined ? restartCount - 1 : restartCount;
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
