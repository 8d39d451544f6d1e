import { type MonoNs, seconds } from '../base/clock.ts';
import type { Pod, ProbeName } from '../manifest/pod.ts';
import { idOf } from './lifecycle.ts';
import { type Member, isDown, isFinal, isItsTurn, isOpen, isWindingDown, members, startable } from './order.ts';
import { activeProbes, dueAt } from './probing.ts';
import type { Because, ContainerRecord, HookName, PodRecord, Stopping } from './record.ts';
import { goDuration, restartWaitsUntil } from './restart.ts';
import type { PodEvent } from './step.ts';
import { limitsStorage } from './storage.ts';
import { hastenedKill, hookWaitEnds, turnWaitEnds } from './stop.ts';

/** Something to be done in the world. The engine has at most one of each key under way. */
export type Action =
  | { readonly kind: 'sandbox' }
  | { readonly kind: 'teardown' }
  /** Keeps volumes like the objects that they are made from, until the teardown. */
  | { readonly kind: 'follow' }
  /** Measures volumes that have a limit, until one is over it. */
  | { readonly kind: 'measure' }
  | { readonly kind: 'start'; readonly name: string }
  | { readonly kind: 'hook'; readonly name: string; readonly id: string; readonly hook: HookName }
  /** One try of a probe, now. */
  | { readonly kind: 'probe'; readonly name: string; readonly id: string; readonly probe: ProbeName }
  /** Ends a running hook: a postStart because the grace period did, or any because it took longer than it may. */
  | {
      readonly kind: 'endHook';
      readonly name: string;
      readonly id: string;
      readonly hook: HookName;
      readonly why: HookCut;
    }
  /** Stop signal now, SIGKILL at the moment that stop.ts computes when the signal is sent. */
  | { readonly kind: 'signal'; readonly name: string; readonly id: string }
  | { readonly kind: 'hasten'; readonly name: string; readonly id: string; readonly killAt: MonoNs }
  | { readonly kind: 'kill'; readonly name: string; readonly id: string };

/** Why a hook is ended before it is done: its pod's grace period, or its own limit. */
export type HookCut = 'grace' | 'timeout';

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

/** Decides what comes next for a pod. Pure, and the same answer for the same input: the whole lifecycle's order is here. */
export function plan(pod: Pod, record: PodRecord, now: MonoNs): Plan {
  if (record.ended !== undefined) return { events: [], actions: [], wakeAt: undefined };
  const view = { pod, record, now };
  const draft = new Draft();
  planDeadline(draft, view);
  const ending = isWindingDown(pod, record);
  for (const member of members(pod, record)) {
    planHooks(draft, view, member.container);
    planProbes(draft, view, member);
    planStop(draft, view, member.container, ending);
  }
  if (ending && record.containers.every(isDown)) planEnd(draft, record);
  else if (record.restartingAll !== undefined && !ending) planRestartOfAll(draft, view);
  else if (!ending) planStart(draft, view);
  if (isFollowing(pod, record) && !(ending && record.containers.every(isDown))) draft.actions.push({ kind: 'follow' });
  if (isMeasured(pod, record)) draft.actions.push({ kind: 'measure' });
  return draft.done(now);
}

/** What the rules look at. */
interface View {
  readonly pod: Pod;
  readonly record: PodRecord;
  readonly now: MonoNs;
}

function planDeadline(draft: Draft, { pod, record, now }: View): void {
  if (pod.activeDeadlineSeconds === undefined || record.startedMono === undefined) return;
  if (record.termination !== undefined) return;
  const deadline = record.startedMono + seconds(pod.activeDeadlineSeconds);
  if (now < deadline) draft.wake(deadline);
  else draft.events.push({ kind: 'deadline' });
}

/** Hooks that were begun and have not ended; an adopted one is taken up again. */
function planHooks(draft: Draft, { pod, now }: View, container: ContainerRecord): void {
  const id = idOf(container);
  for (const hook of ['postStart', 'preStop'] as const) {
    const run = container.hooks[hook];
    if (run === undefined || !isOpen(run) || id === undefined) continue;
    draft.actions.push({ kind: 'hook', name: container.name, id, hook });
    if (pod.hookTimeout === undefined) continue;
    const until = run.since + seconds(pod.hookTimeout);
    if (now < until) draft.wake(until);
    else draft.actions.push({ kind: 'endHook', name: container.name, id, hook, why: 'timeout' });
  }
}

function planProbes(draft: Draft, { record, now }: View, { container, spec }: Member): void {
  const id = idOf(container);
  if (id === undefined) return;
  for (const probe of activeProbes(record, container)) {
    const due = dueAt(spec, container, probe);
    if (due !== undefined && due > now) draft.wake(due);
    else draft.actions.push({ kind: 'probe', name: container.name, id, probe });
  }
}

function planStop(draft: Draft, view: View, container: ContainerRecord, ending: boolean): void {
  const { record, now } = view;
  const { termination } = record;
  const { state, name } = container;
  if (state.phase === 'creating') draft.actions.push({ kind: 'start', name });
  if (termination?.now === true && 'id' in state && state.phase !== 'creating') {
    if (state.phase === 'running') draft.events.push(stopEvent(name, 'terminated'));
    draft.actions.push({ kind: 'kill', name, id: state.id });
    return;
  }
  if (state.phase === 'starting' && termination !== undefined) {
    if (now < termination.hooksUntil) draft.wake(termination.hooksUntil);
    else draft.actions.push({ kind: 'endHook', name, id: state.id, hook: 'postStart', why: 'grace' });
  }
  if (state.phase === 'running' && ending) {
    draft.events.push(stopEvent(name, termination === undefined ? 'completed' : 'terminated'));
  }
  if (state.phase === 'stopping') planSignal(draft, view, container, state);
}

/** preStop first, then a sidecar's turn, then the signal; a signal that was sent can only be hastened. */
function planSignal(draft: Draft, { pod, record, now }: View, container: ContainerRecord, state: Stopping): void {
  const { termination } = record;
  const { name } = container;
  const hook = container.hooks.preStop;
  if (state.signaled !== undefined) {
    const killAt = hastenedKill(state, termination);
    if (killAt !== undefined) draft.actions.push({ kind: 'hasten', name, id: state.id, killAt });
    return;
  }
  const hookEnds = hookWaitEnds(state, termination);
  if (isOpen(hook) && now < hookEnds) return draft.wake(hookEnds);
  const inOrder = state.because === 'terminated' || state.because === 'completed' || termination !== undefined;
  if (inOrder && !isItsTurn(pod, record, name)) {
    const turnEnds = turnWaitEnds(state, hook, termination);
    if (now < turnEnds) return draft.wake(turnEnds);
  }
  draft.actions.push({ kind: 'signal', name, id: state.id });
}

function stopEvent(name: string, because: Because): PodEvent {
  return { kind: 'container', name, event: { kind: 'stop', because } };
}

function planEnd(draft: Draft, record: PodRecord): void {
  const { phase } = record.sandbox;
  // What is being made can only be released once it is there.
  if (phase === 'making') draft.actions.push({ kind: 'sandbox' });
  else if (phase === 'ready' || phase === 'failed' || phase === 'unmounted') draft.actions.push({ kind: 'teardown' });
  else draft.events.push({ kind: 'ended' });
}

/** Every container is killed without a preStop hook; once all are down, and the back-off is over, they begin anew (KEP-5532). */
function planRestartOfAll(draft: Draft, { record, now }: View): void {
  for (const { state, name } of record.containers) {
    if (state.phase === 'running' || state.phase === 'starting') draft.events.push(stopEvent(name, 'restartAll'));
  }
  if (!record.containers.every(isDown)) return;
  const asked = record.containers.find(({ name }) => name === record.restartingAll);
  const until = asked === undefined ? undefined : restartWaitsUntil(asked, now);
  if (until === undefined) draft.events.push({ kind: 'allDown' });
  else draft.wake(until);
}

/** Containers start one after another: nothing else does while one is being created, or its postStart runs or failed. */
function planStart(draft: Draft, view: View): void {
  const { pod, record, now } = view;
  const { sandbox } = record;
  const retryAt = 'retryAt' in sandbox ? sandbox.retryAt : undefined;
  if (sandbox.phase === 'absent' || (retryAt !== undefined && retryAt <= now)) {
    draft.events.push({ kind: 'sandboxBegun' });
    return;
  }
  if (sandbox.phase === 'making') draft.actions.push({ kind: 'sandbox' });
  if (retryAt !== undefined) draft.wake(retryAt);
  if (sandbox.phase !== 'ready') return;
  if (record.containers.some(isBusy)) return;
  const candidates = startable(pod, record);
  const fresh = candidates.filter(({ container }) => container.state.phase === 'waiting');
  // Init containers and sidecars come first, also when they come again (kuberuntime_manager.go: SyncPod).
  const inits = candidates.filter(({ spec }) => spec.role !== 'main');
  for (const member of [...inits, ...fresh, ...candidates]) {
    if (planStartOf(draft, view, member)) return;
  }
}

/** Starts one that is down, or says when that may be; true when it starts. */
function planStartOf(draft: Draft, { pod, record, now }: View, member: Member): boolean {
  const { container } = member;
  const { state, name } = container;
  const start = (): boolean => {
    draft.actions.push({ kind: 'start', name });
    return true;
  };
  if (state.phase === 'waiting') {
    if (state.retryAt === undefined || state.retryAt <= now) return start();
    draft.wake(state.retryAt);
    if (state.pullBackOff !== undefined) draft.pullBackOff(name, state.pullBackOff.at, now);
    return false;
  }
  if (state.phase !== 'exited' || !isDown(container) || isFinal(pod, member)) return false;
  const until = restartWaitsUntil(container, now);
  if (until === undefined) return start();
  draft.wake(until);
  if (state.shown?.reason !== 'CrashLoopBackOff') draft.backOff(pod, record, container);
  return false;
}

class Draft {
  readonly events: PodEvent[] = [];
  readonly actions: Action[] = [];
  #wakeAt: MonoNs | undefined;

  wake(at: MonoNs): void {
    if (this.#wakeAt === undefined || at < this.#wakeAt) this.#wakeAt = at;
  }

  /** Shows that a pull has to wait; told once. */
  pullBackOff(name: string, at: MonoNs, now: MonoNs): void {
    if (at > now) this.wake(at);
    else this.events.push({ kind: 'container', name, event: { kind: 'pullBackOff' } });
  }

  /** Shows that a restart has to wait; told once. */
  backOff(pod: Pod, record: PodRecord, { name, backoff }: ContainerRecord): void {
    const where = `${pod.name}_${pod.namespace}(${record.uid})`;
    const message = `back-off ${goDuration(backoff?.delay ?? 0)} restarting failed container=${name} pod=${where}`;
    const event = `Back-off restarting failed container ${name} in pod ${where}`;
    if (this.events.some((one) => one.kind === 'container' && one.name === name)) return;
    this.events.push({ kind: 'container', name, event: { kind: 'backOff', message, event } });
  }

  done(now: MonoNs): Plan {
    const wakeAt = this.#wakeAt !== undefined && this.#wakeAt > now ? this.#wakeAt : undefined;
    return { events: this.events, actions: this.actions, wakeAt };
  }
}

/** Whether there are volumes that change with an object: a pod itself never changes. */
function isFollowing({ volumes }: Pod, { sandbox }: PodRecord): boolean {
  if (sandbox.phase !== 'ready') return false;
  return volumes.some((volume) => 'sources' in volume && volume.sources.some(({ kind }) => kind !== 'downwardAPI'));
}

/** Whether there is something on disk that may outgrow its limit. */
function isMeasured(pod: Pod, { sandbox, termination }: PodRecord): boolean {
  if (sandbox.phase !== 'ready' || termination !== undefined) return false;
  if (limitsStorage(pod)) return true;
  return pod.volumes.some((one) => one.kind === 'emptyDir' && one.medium === '' && one.sizeLimit !== undefined);
}

function isBusy({ state, hooks }: ContainerRecord): boolean {
  if (state.phase === 'creating' || state.phase === 'starting') return true;
  if (state.phase === 'stopping') return state.because === 'postStart';
  return isOpen(hooks.postStart) || isOpen(hooks.preStop);
}
