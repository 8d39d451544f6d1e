import type { MonoNs } from '../base/clock.ts';
import type { Pod } from '../manifest/pod.ts';
import type { ContainerEvent, Moment } from './lifecycle.ts';
import { idOf, stepContainer } from './lifecycle.ts';
import type { Note } from './journal-entry.ts';
import type { ContainerRecord, HookName, HookRun, PodRecord, Terminated } from './record.ts';
import { backoffUntil, goDuration, shouldRestart } from './restart.ts';
import { type StopRequest, hastenedKill, hookWaitEnds, mergeTermination } from './stop.ts';

/** What can happen to a pod. */
export type PodEvent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'sandboxBegun' }
  | { readonly kind: 'sandboxReady'; readonly ip: string | undefined }
  | { readonly kind: 'sandboxFailed'; readonly message: string; readonly retryAt: MonoNs }
  | { readonly kind: 'sandboxRemoved' }
  | { readonly kind: 'terminate'; readonly request: StopRequest }
  | { readonly kind: 'ended' }
  | { readonly kind: 'container'; readonly name: string; readonly event: ContainerEvent };

/** Something to be done in the world. The engine has at most one of each key under way. */
export type Action =
  | { readonly kind: 'sandbox' }
  | { readonly kind: 'teardown' }
  | { readonly kind: 'start'; readonly name: string }
  | { readonly kind: 'hook'; readonly name: string; readonly id: string; readonly hook: HookName }
  /** Ends a running postStart because the grace period did. */
  | { readonly kind: 'endHook'; readonly name: string; readonly id: string; readonly hook: HookName }
  /** Stop signal now, SIGKILL at the moment that stop.ts computes when the signal is sent. */
  | { readonly kind: 'signal'; readonly name: string; readonly id: string }
  | { readonly kind: 'hasten'; readonly name: string; readonly id: string; readonly killAt: MonoNs }
  | { readonly kind: 'kill'; readonly name: string; readonly id: string };

export interface Plan {
  /** To be applied at once, then plan again. */
  readonly events: readonly PodEvent[];
  readonly actions: readonly Action[];
  /** When to look again although nothing happened. */
  readonly wakeAt: MonoNs | undefined;
}

/** Identity of an action: one that is under way is not begun again. */
export function actionKey(action: Action): string {
  return Object.values(action).map(String).join(' ');
}

/** Applies one event to a pod's record. Pure. */
export function stepPod(
  pod: Pod,
  record: PodRecord,
  event: PodEvent,
  moment: Moment,
): { readonly record: PodRecord; readonly notes: readonly Note[] } {
  const plain = (next: Partial<PodRecord>, notes: readonly Note[] = []) => ({ record: { ...record, ...next }, notes });
  switch (event.kind) {
    case 'taken':
      return plain({ startedAt: record.startedAt ?? moment.wall });
    case 'sandboxBegun':
      return plain({ sandbox: { phase: 'making' } });
    case 'sandboxReady':
      return plain({ sandbox: { phase: 'ready', ip: event.ip } });
    case 'sandboxFailed': {
      const message = `Failed to create pod sandbox: ${event.message}`;
      return plain({ sandbox: { phase: 'failed', message: event.message, retryAt: event.retryAt } }, [
        { kind: 'event', type: 'Warning', reason: 'FailedCreatePodSandBox', message },
      ]);
    }
    case 'sandboxRemoved':
      return plain({
        sandbox: { phase: 'removed', ip: record.sandbox.phase === 'ready' ? record.sandbox.ip : undefined },
      });
    case 'terminate': {
      const termination = mergeTermination(pod, record.termination, event.request, moment);
      const { grace, remove, now } = termination;
      return plain({ termination }, [{ kind: 'terminate', grace, remove, now }]);
    }
    case 'ended': {
      const containers = record.containers.map((container) => settle(container, moment));
      const phase = containers.every((container) => exitCode(container) === 0) ? 'Succeeded' : 'Failed';
      return plain({ containers, ended: { phase, wall: moment.wall } }, [{ kind: 'ended', phase }]);
    }
    case 'container': {
      const index = record.containers.findIndex((container) => container.name === event.name);
      const before = record.containers[index];
      const spec = pod.containers[index];
      if (before === undefined || spec === undefined) return plain({});
      const { container, notes } = stepContainer({ pod, record, spec, moment }, before, event.event);
      return plain({ containers: record.containers.with(index, container) }, notes);
    }
    default:
      return event satisfies never;
  }
}

/** Decides what comes next for a pod. Pure, and the same answer for the same input: the whole lifecycle's order is here. */
export function plan(pod: Pod, record: PodRecord, now: MonoNs): Plan {
  if (record.ended !== undefined) return { events: [], actions: [], wakeAt: undefined };
  const draft = new Draft();
  for (const container of record.containers) {
    planHooks(draft, container);
    planStop(draft, { record, container, now });
  }
  const over =
    record.termination !== undefined
      ? record.containers.every(isDown)
      : record.containers.every((container) => isDown(container) && isFinal(pod, container));
  if (over) planEnd(draft, record);
  else if (record.termination === undefined) planStart(draft, pod, record, now);
  return draft.done(now);
}

/** Hooks that were begun and have not ended; an adopted one is taken up again. */
function planHooks(draft: Draft, container: ContainerRecord): void {
  const id = idOf(container);
  for (const hook of ['postStart', 'preStop'] as const) {
    const run = container.hooks[hook];
    if (run !== undefined && run.ended === undefined && id !== undefined) {
      draft.actions.push({ kind: 'hook', name: container.name, id, hook });
    }
  }
}

function planStop(
  draft: Draft,
  { record, container, now }: { record: PodRecord; container: ContainerRecord; now: MonoNs },
): void {
  const { termination } = record;
  const { state, name } = container;
  if (state.phase === 'creating') draft.actions.push({ kind: 'start', name });
  if (termination?.now === true && 'id' in state && state.phase !== 'creating') {
    if (state.phase === 'running') draft.events.push(stopEvent(name));
    draft.actions.push({ kind: 'kill', name, id: state.id });
    return;
  }
  if (state.phase === 'starting' && termination !== undefined) {
    if (now < termination.hooksUntil) draft.wake(termination.hooksUntil);
    else draft.actions.push({ kind: 'endHook', name, id: state.id, hook: 'postStart' });
  }
  if (state.phase === 'running' && termination !== undefined) draft.events.push(stopEvent(name));
  if (state.phase !== 'stopping') return;
  if (state.signaled === undefined) {
    const hook = container.hooks.preStop;
    const waitEnds = hookWaitEnds(state, termination);
    if (hook !== undefined && hook.ended === undefined && now < waitEnds) draft.wake(waitEnds);
    else draft.actions.push({ kind: 'signal', name, id: state.id });
    return;
  }
  const killAt = hastenedKill(state, termination);
  if (killAt !== undefined) draft.actions.push({ kind: 'hasten', name, id: state.id, killAt });
}

function stopEvent(name: string): PodEvent {
  return { kind: 'container', name, event: { kind: 'stop', because: 'terminated' } };
}

function planEnd(draft: Draft, record: PodRecord): void {
  const { phase } = record.sandbox;
  // What is being made can only be released once it is there.
  if (phase === 'making') draft.actions.push({ kind: 'sandbox' });
  else if (phase === 'ready' || phase === 'failed') draft.actions.push({ kind: 'teardown' });
  else draft.events.push({ kind: 'ended' });
}

/** Containers start one after another: nothing else does while one is being created, or its postStart runs or failed. */
function planStart(draft: Draft, pod: Pod, record: PodRecord, now: MonoNs): void {
  const { sandbox } = record;
  if (sandbox.phase === 'absent' || (sandbox.phase === 'failed' && sandbox.retryAt <= now)) {
    draft.events.push({ kind: 'sandboxBegun' });
    return;
  }
  if (sandbox.phase === 'making') draft.actions.push({ kind: 'sandbox' });
  if (sandbox.phase === 'failed') draft.wake(sandbox.retryAt);
  if (sandbox.phase !== 'ready') return;
  if (record.containers.some(isBusy)) return;
  const fresh = record.containers.find((container) => container.state.phase === 'waiting' && due(container, now));
  if (fresh !== undefined) {
    draft.actions.push({ kind: 'start', name: fresh.name });
    return;
  }
  for (const container of record.containers) {
    if (container.state.phase === 'waiting' && container.state.retryAt !== undefined) {
      draft.wake(container.state.retryAt);
    }
    planRestart(draft, { pod, record, container, now });
    if (draft.actions.some((action) => action.kind === 'start')) return;
  }
}

function planRestart(
  draft: Draft,
  { pod, record, container, now }: { pod: Pod; record: PodRecord; container: ContainerRecord; now: MonoNs },
): void {
  const { state, name } = container;
  if (state.phase !== 'exited' || !isDown(container) || isFinal(pod, container)) return;
  const until = backoffUntil(container.backoff, state.terminated.finishedMono, now);
  if (until === undefined) {
    draft.actions.push({ kind: 'start', name });
    return;
  }
  draft.wake(until);
  if (state.shown?.reason === 'CrashLoopBackOff') return;
  const where = `${name} pod=${pod.name}_${pod.namespace}(${record.uid})`;
  const delay = goDuration(container.backoff?.delay ?? 0);
  draft.events.push({
    kind: 'container',
    name,
    event: {
      kind: 'backOff',
      message: `back-off ${delay} restarting failed container=${where}`,
      event: `Back-off restarting failed container ${name} in pod ${pod.name}_${pod.namespace}(${record.uid})`,
    },
  });
}

class Draft {
  readonly events: PodEvent[] = [];
  readonly actions: Action[] = [];
  #wakeAt: MonoNs | undefined;

  wake(at: MonoNs): void {
    if (this.#wakeAt === undefined || at < this.#wakeAt) this.#wakeAt = at;
  }

  done(now: MonoNs): Plan {
    const wakeAt = this.#wakeAt !== undefined && this.#wakeAt > now ? this.#wakeAt : undefined;
    return { events: this.events, actions: this.actions, wakeAt };
  }
}

/** No process, and no hook whose outcome is still open. */
function isDown(container: ContainerRecord): boolean {
  const { state, hooks } = container;
  return (state.phase === 'waiting' || state.phase === 'exited') && !isOpen(hooks.postStart) && !isOpen(hooks.preStop);
}

/** Exited, and the restart policy leaves it so. */
function isFinal(pod: Pod, container: ContainerRecord): boolean {
  const { state } = container;
  return state.phase === 'exited' && !shouldRestart(pod.restartPolicy, state.terminated.exitCode);
}

function isBusy({ state, hooks }: ContainerRecord): boolean {
  if (state.phase === 'creating' || state.phase === 'starting') return true;
  if (state.phase === 'stopping') return state.because === 'postStart';
  return isOpen(hooks.postStart) || isOpen(hooks.preStop);
}

function isOpen(run: HookRun | undefined): boolean {
  return run !== undefined && run.ended === undefined;
}

function due(container: ContainerRecord, now: MonoNs): boolean {
  const { state } = container;
  return state.phase === 'waiting' && (state.retryAt === undefined || state.retryAt <= now);
}

/** A container that never ran counts as lost (pkg/kubelet/status: TerminatePod); one that waited for a restart keeps its last exit. */
function settle(container: ContainerRecord, moment: Moment): ContainerRecord {
  if (container.state.phase !== 'waiting') return container;
  const unknown: Terminated = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    startedAt: undefined,
    finishedAt: moment.wall,
    finishedMono: moment.at,
    containerId: '',
  };
  return { ...container, state: { phase: 'exited', terminated: container.last ?? unknown, shown: undefined } };
}

function exitCode({ state }: ContainerRecord): number {
  return state.phase === 'exited' ? state.terminated.exitCode : 137;
}
