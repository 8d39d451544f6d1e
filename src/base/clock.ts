import { MinirtError } from './errors.ts';

/** Nanoseconds of CLOCK_MONOTONIC, the clock that the helper stamps its records with. */
export type MonoNs = bigint;

/** One second in nanoseconds. */
export const SECOND: MonoNs = 1_000_000_000n;

/** Node's longest timer, in milliseconds; a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** All waiting goes through a clock, so that rules about time can be tested without spending it. */
export interface Clock {
  /** CLOCK_MONOTONIC now. */
  now(): MonoNs;
  /** Wall clock now, for people: status, events, logs. */
  wall(): Date;
  /** Calls `due` once, when the monotonic clock says `at`, never before. Returns the cancel function. */
  at(at: MonoNs, due: () => void): () => void;
}

/** The host's clock. Node's timers may fire up to 0.5 ms early; this one never does. */
export const systemClock: Clock = {
  now: () => process.hrtime.bigint(),
  wall: () => new Date(),
  at(at, due) {
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      const left = at - process.hrtime.bigint();
      if (left <= 0n) return due();
      const ms = Number((left + 999_999n) / 1_000_000n);
      timer = setTimeout(arm, Math.min(ms, LONGEST_TIMER_MS));
    };
    timer = setTimeout(arm, 0);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Whole seconds between two stamps, rounded down: what the kubelet deducts from a grace period. */
export function wholeSeconds(from: MonoNs, to: MonoNs): number {
  return to <= from ? 0 : Number((to - from) / SECOND);
}

/** Converts seconds (may be fractional) to nanoseconds. */
export function seconds(value: number): MonoNs {
  return BigInt(Math.round(value * 1e9));
}

/** Resolves when `at` has come; rejects with the signal's reason when aborted first. */
export function waitUntil(clock: Clock, at: MonoNs, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortReason(signal));
    const follow = (): void => {
      cancel();
      reject(abortReason(signal));
    };
    const cancel = clock.at(at, () => {
      signal.removeEventListener('abort', follow);
      resolve();
    });
    signal.addEventListener('abort', follow, { once: true });
  });
}

/** The reason of an aborted signal as an error of ours. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new MinirtError('aborted', 'interrupted');
}
