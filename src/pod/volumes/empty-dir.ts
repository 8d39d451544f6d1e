import { existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeHome, VolumeKind } from './kind.ts';

/** Whoever a container runs as may write to it (pkg/volume/emptydir: perm). */
const MODE = 0o777;

/** A folder on the host's disk that lives as long as its pod, whatever becomes of the containers. */
export const emptyDir: VolumeKind<'emptyDir'> = {
  prepare: ({ name }, home) => makeDiskFolder(name, home),
  source: ({ name }, home) => Promise.resolve(diskFolder(name, home)),
};

/** Where a volume on disk is. */
export function diskFolder(name: string, { bulk }: VolumeHome): string {
  return join(bulk, 'volumes', name);
}

/** Makes the folder of a volume on disk; what a container has made of it since then stays. */
export async function makeDiskFolder(name: string, home: VolumeHome): Promise<void> {
  const path = diskFolder(name, home);
  if (existsSync(path)) return;
  // Half made under a name that no volume has: an owner may die at any moment.
  const half = join(dirname(path), `.${name}`);
  await mkdir(half, { recursive: true, mode: 0o700 });
  // Not by mkdir: the umask takes part in that.
  await chmod(half, MODE);
  await rename(half, path);
}
