import { type MonoNs, seconds } from '../base/clock.ts';
import type { RestartPolicy } from '../manifest/pod.ts';
import type { Backoff } from './record.ts';

const FIRST_SECONDS = 10;
const LONGEST_SECONDS = 300;
/** An instance that ran longer than this since its start begins a new series (client-go backoff.go: HasExpired). */
const FORGIVEN_AFTER = seconds(600);

/** Whether an exit is followed by a new instance (pkg/kubelet/container/helpers.go: ShouldContainerBeRestarted). */
export function shouldRestart(policy: RestartPolicy, exitCode: number): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return exitCode !== 0;
    case 'Never':
      return false;
    default:
      return policy satisfies never;
  }
}

/** Until when a restart has to wait; undefined: it may start at once (kuberuntime_manager.go: doBackOff). */
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
