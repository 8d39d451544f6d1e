import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortReason } from '../base/clock.ts';
import { MinirtError, messageOf } from '../base/errors.ts';
import { helperPath } from './locate.ts';

/** Exit status of the role `lock` when somebody else has it. */
const TAKEN = 1;

/**
 * An exclusive flock(2). It belongs to the open file, which this process holds: the kernel frees it when the process
 * ends, however it ends. There are no stale locks.
 */
export class FileLock implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes the lock, or answers undefined when somebody else has it. The file is made when it is missing. */
  static async tryAcquire(path: string): Promise<FileLock | undefined> {
    const file = await open(path, 'a', 0o600).catch((cause: unknown) => {
      throw new MinirtError('io', `open lock: ${path}: ${messageOf(cause)}`, { cause });
    });
    try {
      if (await lock(file.fd)) return new FileLock(file);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  /** For a process that is to hold the lock too: the kernel frees it when the last of them has closed it. */
  get fd(): number {
    return this.#file.fd;
  }

  async release(): Promise<void> {
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 100;

/** Runs `work` while holding the lock on this file; waits for whoever holds it now, as long as `signal` allows. */
export async function withLock<T>(path: string, signal: AbortSignal, work: (held: FileLock) => Promise<T>): Promise<T> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    if (signal.aborted) throw abortReason(signal);
    await using held = await FileLock.tryAcquire(path);
    if (held !== undefined) return await work(held);
    // The abort is looked at above; how the sleep ended does not matter.
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

function lock(fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(helperPath(), ['lock'], { stdio: ['ignore', 'ignore', 'inherit', fd] });
    child.on('error', (cause) => {
      reject(new MinirtError('helper.missing', `run helper: lock: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      if (code === 0 || code === TAKEN) resolve(code === 0);
      else reject(new MinirtError('helper.failed', `run helper: lock: it exited with ${String(code)}`));
    });
  });
}
