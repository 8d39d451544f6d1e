import { type MonoNs, seconds } from '../base/clock.ts';

const FIRST_SECONDS = 10;
const LONGEST_SECONDS = 300;
/** A failure this long after the one before begins a new series (client-go backoff.go: twice the longest). */
const FORGIVEN_AFTER = seconds(2 * LONGEST_SECONDS);

/** How long an image of a pod has to wait after its last failure (pkg/kubelet/images: one back-off for pod and image). */
export interface PullBackoff {
  /** Seconds. */
  readonly delay: number;
  readonly failedAt: MonoNs;
}

/** After one more failure: 10 s, doubling to 300 s. */
export function nextPullBackoff(before: PullBackoff | undefined, now: MonoNs): PullBackoff {
  if (before === undefined || now - before.failedAt > FORGIVEN_AFTER) return { delay: FIRST_SECONDS, failedAt: now };
  return { delay: Math.min(before.delay * 2, LONGEST_SECONDS), failedAt: now };
}

/** `took`: without waiting for other pulls, `all`: with it (pkg/kubelet/images/image_manager.go). */
export function pulledText(image: string, took: MonoNs, all: MonoNs, size: number): string {
  return `Successfully pulled image "${image}" in ${goTime(took)} (${goTime(all)} including waiting). Image size: ${size} bytes.`;
}

/** Go's text of a duration cut to milliseconds: `0s`, `834ms`, `1.2s`, `1m2.5s`. */
export function goTime(time: MonoNs): string {
  const ms = Number(time / 1_000_000n);
  if (ms === 0) return '0s';
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const rest = `${(ms % 60_000) / 1000}s`;
  if (minutes === 0) return rest;
  return minutes < 60 ? `${minutes}m${rest}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${rest}`;
}
