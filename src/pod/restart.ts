import { type MonoNs, seconds } from '../base/clock.ts';
import type { Container, Pod, RestartPolicy, RestartRule } from '../manifest/pod.ts';
import { type Backoff, type Because, type ContainerRecord, initSucceeded } from './record.ts';

/** How long volumes wait after a failure: twice as long each time (pkg/util/goroutinemap/exponentialbackoff). */
const FIRST_MOUNT_WAIT = seconds(0.5);
const LONGEST_MOUNT_WAIT = seconds(122);

const FIRST_SECONDS = 10;
const LONGEST_SECONDS = 300;
/** An instance that ran longer than this since its start begins a new series (client-go backoff.go: HasExpired). */
const FORGIVEN_AFTER = seconds(600);

/** How an instance ended, as far as its restart depends on it. */
export interface Ending {
  readonly exitCode: number;
  /** Of the terminated state. */
  readonly reason?: string;
  readonly because: Because | undefined;
}

/** Whether an exit is followed by a new instance (pkg/kubelet/container/helpers.go: ShouldContainerBeRestarted). */
export function shouldRestart(pod: Pod, container: Container, ending: Ending): boolean {
  const { exitCode, because } = ending;
  if (container.role === 'sidecar') return true;
  if (container.role === 'init' && initSucceeded(ending)) return false;
  const policy = restartPolicyOf(pod, container);
  // A probe asks the policy alone (kuberuntime_manager.go: computePodActions).
  if (because === 'startup' || because === 'liveness') return policy !== 'Never';
  if (matchingRule(container, exitCode) !== undefined) return true;
  switch (policy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return container.role === 'init' || exitCode !== 0;
    case 'Never':
      return false;
    default:
      return policy satisfies never;
  }
}

/** Whether an exit asks for a restart of the whole pod in place (KEP-5532). */
export function asksRestartOfAll(
  container: Container,
  { exitCode, because }: Pick<Ending, 'exitCode' | 'because'>,
): boolean {
  return because === undefined && matchingRule(container, exitCode)?.action === 'RestartAllContainers';
}

/** Whether a container that a probe kills comes back. */
export function comesBackAfterProbe(pod: Pod, container: Container): boolean {
  return container.role === 'sidecar' || restartPolicyOf(pod, container) !== 'Never';
}

function restartPolicyOf(pod: Pod, { role, restartPolicy }: Container): RestartPolicy {
  const policy = restartPolicy ?? pod.restartPolicy;
  // An init container that succeeded is done, whatever the policy.
  return role === 'init' && policy === 'Always' ? 'OnFailure' : policy;
}

/** The first rule that fits; there are none without a restart policy of the container's own (pkg/api/v1/pod/util.go). */
function matchingRule({ restartPolicyRules }: Container, exitCode: number): RestartRule | undefined {
  return restartPolicyRules.find(({ operator, values }) => values.includes(exitCode) === (operator === 'In'));
}

/**
 * Until when a restart has to wait; undefined: it may start at once (kuberuntime_manager.go: doBackOff). A probe's kill
 * and the restart after it are one step of the kubelet's, which still sees the instance before: only its end counts then.
 */
export function restartWaitsUntil(container: ContainerRecord, now: MonoNs): MonoNs | undefined {
  const { state, backoff } = container;
  if (state.phase !== 'exited' || backoff === undefined) return undefined;
  const own = backoffUntil(backoff, state.terminated.finishedMono, now);
  if (!endedByProbe(container) || state.shown !== undefined) return own;
  const { last } = container;
  const before = last === undefined ? undefined : backoffUntil(backoff, last.finishedMono, now);
  return before === undefined ? undefined : own;
}

/** What the exit after this one will have to wait, given that a restart begins now. */
export function backoffAfterRestart(container: ContainerRecord, now: MonoNs): Backoff | undefined {
  const { state, backoff, last } = container;
  if (state.phase !== 'exited') return backoff;
  if (!endedByProbe(container) || state.shown !== undefined) {
    return nextBackoff(backoff, state.terminated.finishedMono, now);
  }
  return last === undefined ? backoff : nextBackoff(backoff, last.finishedMono, now);
}

function endedByProbe({ state }: ContainerRecord): boolean {
  return state.phase === 'exited' && (state.because === 'startup' || state.because === 'liveness');
}

export function backoffUntil(backoff: Backoff | undefined, finishedAt: MonoNs, now: MonoNs): MonoNs | undefined {
  if (backoff === undefined || expired(backoff, finishedAt)) return undefined;
  const until = finishedAt + seconds(backoff.delay);
  return now < until ? until : undefined;
}

/** What the next exit will have to wait: 10 s, doubling to 300 s, from the start again after ten good minutes. */
export function nextBackoff(backoff: Backoff | undefined, finishedAt: MonoNs, now: MonoNs): Backoff {
  if (backoff === undefined || expired(backoff, finishedAt)) return { delay: FIRST_SECONDS, updatedAt: now };
  return { delay: Math.min(backoff.delay * 2, LONGEST_SECONDS), updatedAt: now };
}

/** How long to wait before volumes are tried again, given how long was waited before this try. */
export function mountBackoff(waited: MonoNs | undefined): MonoNs {
  if (waited === undefined) return FIRST_MOUNT_WAIT;
  return waited * 2n > LONGEST_MOUNT_WAIT ? LONGEST_MOUNT_WAIT : waited * 2n;
}

function expired(backoff: Backoff, finishedAt: MonoNs): boolean {
  return finishedAt - backoff.updatedAt > FORGIVEN_AFTER;
}

/** Go's text of a back-off: `10s`, `1m20s`, `5m0s`. */
export function goDuration(wholeSecs: number): string {
  if (wholeSecs < 60) return `${wholeSecs}s`;
  const minutes = Math.floor(wholeSecs / 60);
  const rest = `${minutes % 60}m${wholeSecs % 60}s`;
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}h${rest}`;
}
