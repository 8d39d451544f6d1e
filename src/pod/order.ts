import type { Container, Pod, Role } from '../manifest/pod.ts';
import { isStarted } from './probing.ts';
import { type ContainerRecord, type HookRun, type PodRecord, initSucceeded } from './record.ts';
import { shouldRestart } from './restart.ts';

/** A container's record with its part of the manifest. */
export interface Member {
  readonly container: ContainerRecord;
  readonly spec: Container;
}

export function members(pod: Pod, record: PodRecord): readonly Member[] {
  return record.containers.flatMap((container, index) => {
    const spec = pod.containers[index];
    return spec === undefined ? [] : [{ container, spec }];
  });
}

export function membersOf(pod: Pod, record: PodRecord, ...roles: readonly Role[]): readonly Member[] {
  return members(pod, record).filter(({ spec }) => roles.includes(spec.role));
}

/** No process, and no hook whose outcome is still open. */
export function isDown(container: ContainerRecord): boolean {
  const { hooks } = container;
  return isGone(container) && !isOpen(hooks.postStart) && !isOpen(hooks.preStop);
}

/** No process. */
export function isGone({ state }: ContainerRecord): boolean {
  return state.phase === 'waiting' || state.phase === 'exited';
}

export function isOpen(run: HookRun | undefined): boolean {
  return run !== undefined && run.ended === undefined;
}

/** Exited, and nothing will start it again. */
export function isFinal(pod: Pod, { container, spec }: Member): boolean {
  const { state } = container;
  if (state.phase !== 'exited') return false;
  return !shouldRestart(pod, spec, { ...state.terminated, because: state.because });
}

/** Whether there was an instance of it, since the pod began or was restarted as a whole. */
function wasCreated({ state, last }: ContainerRecord): boolean {
  if (state.phase !== 'waiting') return true;
  return last !== undefined && state.reason !== RESTARTING_ALL;
}

/** Waiting reason of a container that was removed to be restarted with all others (KEP-5532). */
export const RESTARTING_ALL = 'RestartingAllContainers';

/** Whether initialization is behind a pod: it has been once a main container was created (pkg/kubelet: HasAnyRegularContainerStarted). */
export function isInitialized(pod: Pod, record: PodRecord): boolean {
  if (membersOf(pod, record, 'main').some(({ container }) => wasCreated(container))) return true;
  return membersOf(pod, record, 'init', 'sidecar').every(isPassed);
}

/** Whether the next container may start as far as this one is concerned. */
export function isPassed({ container, spec }: Member): boolean {
  const { state } = container;
  if (spec.role === 'sidecar') return state.phase === 'running' && isStarted(container);
  return state.phase === 'exited' && initSucceeded(state.terminated);
}

/**
 * The containers that may be started now if they are down, in order (kuberuntime_container.go:
 * computeInitContainerActions). The last init container that was ever begun decides how far initialization is; the
 * sidecars before it are only kept alive.
 */
export function startable(pod: Pod, record: PodRecord): readonly Member[] {
  const inits = membersOf(pod, record, 'init', 'sidecar');
  const mains = membersOf(pod, record, 'main');
  if (mains.some(({ container }) => wasCreated(container))) {
    return [...inits.filter(({ spec }) => spec.role === 'sidecar'), ...mains];
  }
  const frontier = inits.findLastIndex(({ container }) => wasCreated(container));
  const behind = inits.slice(0, Math.max(0, frontier)).filter(({ spec }) => spec.role === 'sidecar');
  const [at, next] = [inits[frontier], inits[frontier + 1]];
  if (at !== undefined && !isPassed(at)) return [...behind, at];
  if (next !== undefined) return [...behind, ...(at?.spec.role === 'sidecar' ? [at] : []), next];
  return [...inits.filter(({ spec }) => spec.role === 'sidecar'), ...mains];
}

/** Nothing more will be started: the mains are done, or an init container failed for good. */
export function isWindingDown(pod: Pod, record: PodRecord): boolean {
  if (record.termination !== undefined) return true;
  if (record.restartingAll !== undefined) return false;
  return hasFailedInit(pod, record) || membersOf(pod, record, 'main').every((one) => isFinal(pod, one));
}

/** An init container failed, and is not to be tried again. */
export function hasFailedInit(pod: Pod, record: PodRecord): boolean {
  if (membersOf(pod, record, 'main').some(({ container }) => wasCreated(container))) return false;
  return membersOf(pod, record, 'init').some((one) => !isPassed(one) && isFinal(pod, one));
}

/**
 * Whether it is a container's turn to get its stop signal: a sidecar comes after all mains and all later sidecars
 * (kuberuntime_termination_order.go).
 */
export function isItsTurn(pod: Pod, record: PodRecord, name: string): boolean {
  const all = members(pod, record);
  const index = all.findIndex(({ container }) => container.name === name);
  if (all[index]?.spec.role !== 'sidecar') return true;
  return all.slice(index + 1).every(({ container, spec }) => spec.role === 'init' || isGone(container));
}
