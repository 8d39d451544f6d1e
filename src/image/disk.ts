import { MinirtError, isErrno, messageOf } from '../base/errors.ts';

const FULL = ['ENOSPC', 'EDQUOT'] as const;
const BROKEN = ['EROFS', 'EIO'] as const;

/** Whether a write failed for want of room. */
export function isFull(error: unknown): boolean {
  return FULL.some((name) => isErrno(error, name));
}

/**
 * Does what writes to the store, and says which disk is full or broken when it is.
 * @throws MinirtError io
 */
export async function onDisk<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isFull(cause) && !BROKEN.some((name) => isErrno(cause, name))) throw cause;
    throw new MinirtError('io', `write to ${root}: ${messageOf(cause)}`, {
      cause,
      ...(isFull(cause) ? { hint: '`minirt prune` and `minirt rmi` make room' } : {}),
    });
  }
}
