import { type Clock, type MonoNs, seconds, waitUntil } from '../../base/clock.ts';
import type { SleepAction } from '../../manifest/pod.ts';
import type { HookOutcome } from './outcome.ts';

/**
 * Waits until the sleep that began at `since` is over; an owner that takes it over waits for the rest. It is cut short
 * when its container is gone, which is no failure, and ended by the end of the grace period, which is one.
 */
export async function runSleepHook(
  action: SleepAction,
  around: {
    readonly clock: Clock;
    readonly since: MonoNs;
    /** Aborted when the container is gone, or the grace period over. */
    readonly signal: AbortSignal;
    readonly isGone: () => boolean;
  },
): Promise<HookOutcome> {
  const ok = { ok: true, exitCode: undefined, error: '', output: '' };
  try {
    await waitUntil(around.clock, around.since + seconds(action.seconds), around.signal);
  } catch {
    if (around.isGone()) return { ...ok, detail: 'cut short: the container had exited' };
    const error = 'container terminated before sleep hook finished';
    return { ok: false, exitCode: undefined, error, output: '', detail: error };
  }
  return { ...ok, detail: '' };
}
