import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { readdir, readlink, rename, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { hexOf } from './digest.ts';
import type { Staging } from './staging.ts';
import type { StorePaths } from './store-paths.ts';

/** It ended, is a zombie without mounts, or belongs to somebody whom even root may not look at: never ours. */
const UNSEEN = ['ENOENT', 'ESRCH', 'EINVAL', 'EACCES', 'EPERM'] as const;

/** What the images of an index consist of, in hex as files are called. */
export interface Needed {
  readonly blobs: ReadonlySet<string>;
  readonly chains: ReadonlySet<string>;
}

export function neededOf(digests: Iterable<string>, chainIds: Iterable<string>): Needed {
  return { blobs: new Set([...digests].map(hexOf)), chains: new Set([...chainIds].map(hexOf)) };
}

/**
 * Removes what no image needs, whoever left it. Layers that are mounted anywhere on the host stay for the next time. Hold
 * the index lock and the layers lock; what is large is only moved into the staging folder, which is emptied without them.
 * @returns bytes of the blobs that went
 */
export async function sweepStore(paths: StorePaths, needed: Needed, staging: Staging): Promise<number> {
  await sweepLayers(paths, needed.chains, staging);
  let freed = 0;
  for (const name of await readdir(paths.blobs)) {
    if (needed.blobs.has(name)) continue;
    const path = join(paths.blobs, name);
    freed += (await stat(path)).size;
    await unlink(path);
  }
  return freed;
}

/** The layers' part of {@link sweepStore}: what goes can be unpacked again from its blobs. */
export async function sweepLayers(paths: StorePaths, chains: ReadonlySet<string>, staging: Staging): Promise<void> {
  const kept = new Set<string>();
  const mounted = mountTables();
  for (const link of await readdir(paths.chains)) {
    const layer = basename(await readlink(join(paths.chains, link)));
    if (chains.has(link) || isMounted(mounted, layer)) kept.add(layer);
    else await unlink(join(paths.chains, link));
  }
  for (const name of await readdir(paths.layers)) {
    if (!/^[0-9a-f]{12}$/.test(name) || kept.has(name) || isMounted(mounted, name)) continue;
    await rename(join(paths.layers, name), staging.name('g'));
  }
}

/** The names of layers are random: wherever one stands in a mount table, it is that layer. */
function isMounted(tables: readonly string[], layer: string): boolean {
  return tables.some((table) => table.includes(layer));
}

/** The mount tables of all processes, each mount namespace once. Containers mount their layers in their own. */
function mountTables(): readonly string[] {
  const tables = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (!tables.has(namespace)) tables.set(namespace, readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
    } catch (error) {
      if (!UNSEEN.some((name) => isErrno(error, name))) throw error;
    }
  }
  return [...tables.values()];
}
