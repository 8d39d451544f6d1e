import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../base/errors.ts';

/** Whoever a container runs as may write to it (pkg/volume/emptydir: perm). */
const MODE = 0o777;

/** The host folder of an emptyDir, made at its first use; it lives as long as its pod. */
export async function prepareEmptyDir(bulk: string, name: string): Promise<string> {
  const parent = join(bulk, 'volumes', 'empty-dir');
  const path = join(parent, name);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  try {
    await mkdir(path);
    // Not by mkdir alone: the umask takes part in that.
    await chmod(path, MODE);
  } catch (error) {
    // What a container has made of it since then stays.
    if (!isErrno(error, 'EEXIST')) throw error;
  }
  return path;
}
