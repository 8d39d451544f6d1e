import { existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { memoryOptions } from '../../sys/memory.ts';
import type { Preparing, VolumeHome } from './kind.ts';

/** Whoever a container runs as may write to it (pkg/volume/emptydir: perm). */
export const OPEN = 0o777;

/** Where a pod's own volumes are. */
export interface Place {
  folder(name: string, home: VolumeHome): string;
  /** Makes the empty folder of a volume, open to everybody; one that is there stays as it is. `size`: bytes, of memory. */
  make(name: string, preparing: Preparing, size?: number): Promise<string>;
}

export const onDisk: Place = {
  folder: (name, { bulk }) => join(bulk, 'volumes', name),

  async make(name, { home }) {
    const path = this.folder(name, home);
    if (existsSync(path)) return path;
    // Half made under a name that no volume has: an owner may die at any moment.
    const half = join(dirname(path), `.${name}`);
    await mkdir(half, { recursive: true, mode: 0o700 });
    // Not by mkdir: the umask takes part in that.
    await chmod(half, OPEN);
    await rename(half, path);
    return path;
  },
};

export const inMemory: Place = {
  folder: (name, { memory }) => join(memory, name),

  async make(name, { home, node, mountTmpfs }, size = node.memory) {
    const path = this.folder(name, home);
    await mountTmpfs(path, { mode: OPEN, options: memoryOptions(size) });
    return path;
  },
};

/** In memory, of pages of so many bytes; there are as many as the host keeps, and the pod may have. */
export function hugePages(size: bigint): Place {
  return {
    ...inMemory,
    async make(name, { home, mountTmpfs }) {
      const path = inMemory.folder(name, home);
      await mountTmpfs(path, { type: 'hugetlbfs', mode: OPEN, options: `pagesize=${size}` });
      return path;
    },
  };
}
