import { existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeKind } from './kind.ts';

/** Whoever a container runs as may write to it (pkg/volume/emptydir: perm). */
const MODE = 0o777;

/** A folder on the host's disk that lives as long as its pod, whatever becomes of the containers. */
export const emptyDir: VolumeKind<'emptyDir'> = {
  path: ({ name }, { bulk }) => join(bulk, 'volumes', name),

  async prepare(volume, home) {
    const path = this.path(volume, home);
    // What a container has made of it since then stays.
    if (existsSync(path)) return;
    // Half made under a name that no volume has: an owner may die at any moment.
    const half = join(dirname(path), `.${volume.name}`);
    await mkdir(half, { recursive: true, mode: 0o700 });
    // Not by mkdir: the umask takes part in that.
    await chmod(half, MODE);
    await rename(half, path);
  },
};
