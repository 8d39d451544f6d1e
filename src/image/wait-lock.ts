import { setTimeout as sleep } from 'node:timers/promises';
import { abortReason } from '../base/clock.ts';
import { FileLock } from '../helper/flock.ts';

const FIRST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 250;

/** Runs `work` while holding the lock on this file; waits for whoever holds it now, as long as `signal` allows. */
export async function withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const lock = await acquire(path, signal);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function acquire(path: string, signal: AbortSignal): Promise<FileLock> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    if (signal.aborted) throw abortReason(signal);
    const lock = await FileLock.tryAcquire(path);
    if (lock !== undefined) return lock;
    // The abort is looked at above; how the sleep ended does not matter.
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}
