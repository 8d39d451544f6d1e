import { type MonoNs, SECOND, seconds, wholeSeconds } from '../base/clock.ts';
import type { Rejection } from './admission.ts';
import type { Container, Pod } from '../manifest/pod.ts';
import type { Because, HookRun, PodRecord, Stopping, Termination } from './record.ts';

/** Between the stop signal and SIGKILL there are always at least 2 s (kuberuntime_container.go: minimumGracePeriodInSeconds). */
export const MINIMUM_SECONDS = 2;

export interface StopRequest {
  /** Seconds; undefined: the pod's own. */
  readonly grace: number | undefined;
  readonly remove: boolean;
  readonly now: boolean;
}

/**
 * Folds a wish to end the pod into the ones before it. A later one only ever makes things earlier: SIGKILL at
 * min(old, request + max(2, new grace)), and no hook is waited for past request + new grace.
 */
export function mergeTermination(
  pod: Pod,
  earlier: Termination | undefined,
  request: StopRequest,
  moment: { at: MonoNs; wall: string },
): Termination {
  const grace = effectiveGrace(request.grace ?? pod.terminationGracePeriodSeconds);
  if (earlier === undefined) {
    return {
      cause: 'request',
      requestedAt: moment.at,
      requestedWall: moment.wall,
      grace,
      hooksUntil: moment.at + seconds(grace),
      killBy: undefined,
      now: request.now,
      remove: request.remove,
    };
  }
  const hooksUntil = min(earlier.hooksUntil, moment.at + seconds(grace));
  const shorter = request.grace !== undefined || request.now;
  const killBy = shorter ? moment.at + seconds(Math.max(MINIMUM_SECONDS, grace)) : undefined;
  return {
    ...earlier,
    hooksUntil,
    killBy: killBy === undefined ? earlier.killBy : min(earlier.killBy ?? killBy, killBy),
    now: earlier.now || request.now,
    remove: earlier.remove || request.remove,
  };
}

/** activeDeadlineSeconds are over: the pod ends with its own grace period, and stays. */
export function deadlineTermination(pod: Pod, moment: { at: MonoNs; wall: string }): Termination {
  const grace = ownGrace(pod);
  return {
    cause: 'deadline',
    requestedAt: moment.at,
    requestedWall: moment.wall,
    grace,
    hooksUntil: moment.at + seconds(grace),
    killBy: undefined,
    now: false,
    remove: false,
  };
}

/** Seconds that an evicted pod has (pkg/kubelet/eviction: immediateEvictionGracePeriodSeconds). */
const EVICTION_SECONDS = 1;

/** The pod outgrew a limit: it ends at once, and stays. */
export function evictionTermination(message: string, moment: { at: MonoNs; wall: string }): Termination {
  return {
    cause: 'evicted',
    message,
    requestedAt: moment.at,
    requestedWall: moment.wall,
    grace: EVICTION_SECONDS,
    hooksUntil: moment.at + seconds(EVICTION_SECONDS),
    killBy: undefined,
    now: false,
    remove: false,
  };
}

/** This host cannot have the pod: nothing of it is begun. */
export function rejectionTermination(
  { reason, message }: Rejection,
  moment: { at: MonoNs; wall: string },
): Termination {
  return {
    ...evictionTermination(message, moment),
    cause: 'rejected',
    reason,
    grace: 0,
    hooksUntil: moment.at,
    now: true,
  };
}

/** A delete always leaves at least one second (pod_workers.go: calculateEffectiveGracePeriod); negative means one. */
export function effectiveGrace(requested: number): number {
  return Math.max(1, Math.floor(requested));
}

/**
 * Seconds of grace for a stop that begins now: what is left of the termination's, else the probe's that asks for it,
 * else the pod's own (kuberuntime_container.go: setTerminationGracePeriod).
 */
export function stopBudget(
  context: { pod: Pod; record: PodRecord; spec: Container },
  because: Because,
  now: MonoNs,
): number {
  const { pod, record, spec } = context;
  const { termination } = record;
  if (because === 'restartAll') return 0;
  if (termination !== undefined) return Math.max(0, termination.grace - wholeSeconds(termination.requestedAt, now));
  const probe = because === 'startup' || because === 'liveness' ? spec.probes[because] : undefined;
  return probe?.terminationGracePeriodSeconds ?? ownGrace(pod);
}

function ownGrace(pod: Pod): number {
  return Math.max(0, pod.terminationGracePeriodSeconds);
}

/** The last moment at which a stop still waits for its preStop hook. */
export function hookWaitEnds(state: Stopping, termination: Termination | undefined): MonoNs {
  const own = state.since + seconds(state.budget);
  return termination === undefined ? own : min(own, termination.hooksUntil);
}

/**
 * The last moment at which a sidecar waits for its turn: what its hook left of the grace period, from the hook's end on
 * (kuberuntime_termination_order.go).
 */
export function turnWaitEnds(state: Stopping, hook: HookRun | undefined, termination: Termination | undefined): MonoNs {
  const from = hookOver(state, hook, termination);
  const own = from + seconds(Math.max(0, state.budget - hookSeconds(state, hook, termination)));
  return termination === undefined ? own : min(own, termination.hooksUntil);
}

/**
 * When SIGKILL follows a stop signal that is sent at `now`: signal + max(2, G − ⌊seconds of the hook⌋ − ⌊seconds waited
 * for one's turn⌋) (kuberuntime_container.go: killContainer), no later than the termination allows, but never without
 * the 2 s.
 */
export function killMoment(
  state: Stopping,
  hook: HookRun | undefined,
  termination: Termination | undefined,
  now: MonoNs,
): MonoNs {
  const waited = wholeSeconds(hookOver(state, hook, termination), now);
  const left = Math.max(MINIMUM_SECONDS, state.budget - hookSeconds(state, hook, termination) - waited);
  return noLaterThan(killLimit(state, termination), now, now + BigInt(left) * SECOND);
}

/** When nobody waits for the hook any more. */
function hookOver(state: Stopping, hook: HookRun | undefined, termination: Termination | undefined): MonoNs {
  if (hook === undefined) return state.since;
  const end = hookWaitEnds(state, termination);
  return min(hook.ended?.at ?? end, end);
}

function hookSeconds(state: Stopping, hook: HookRun | undefined, termination: Termination | undefined): number {
  return hook === undefined ? 0 : wholeSeconds(hook.since, hookOver(state, hook, termination));
}

/** The earlier moment to which a SIGKILL that is set must be brought forward; undefined: it stays. */
export function hastenedKill(state: Stopping, termination: Termination | undefined): MonoNs | undefined {
  if (state.signaled === undefined) return undefined;
  const at = noLaterThan(killLimit(state, termination), state.signaled.at, state.signaled.killAt);
  return at < state.signaled.killAt ? at : undefined;
}

/**
 * When everything has to be dead. A stop that had begun when the pod was asked to end counted from the pod's own grace
 * period, which may be longer than the one that was asked for.
 */
function killLimit(state: Stopping, termination: Termination | undefined): MonoNs | undefined {
  if (termination === undefined || state.since >= termination.requestedAt) return termination?.killBy;
  const first = termination.requestedAt + seconds(Math.max(MINIMUM_SECONDS, termination.grace));
  return min(first, termination.killBy ?? first);
}

/** `at`, or the limit when that is earlier, but never without the time to react to a signal sent at `signal`. */
function noLaterThan(limit: MonoNs | undefined, signal: MonoNs, at: MonoNs): MonoNs {
  return limit === undefined ? at : min(at, max(limit, signal + BigInt(MINIMUM_SECONDS) * SECOND));
}

function min(a: MonoNs, b: MonoNs): MonoNs {
  return a < b ? a : b;
}

function max(a: MonoNs, b: MonoNs): MonoNs {
  return a > b ? a : b;
}

/** Seconds of its grace period that a stopping container had left at `at`. */
export function graceLeft(state: Stopping, at: MonoNs): number {
  return Math.max(0, state.budget - wholeSeconds(state.since, at));
}
