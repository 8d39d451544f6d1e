import { createHash, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdir, readlink, rename, stat, symlink, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { inflatedFile } from './compression.ts';
import { type Expected, hexOf, verified } from './digest.ts';
import { applyLayer } from './layer/apply.ts';
import type { Meter } from './limits.ts';
import { type Descriptor, compressionOf } from './manifest.ts';
import type { Staging } from './staging.ts';
import type { StorePaths } from './store-paths.ts';

/** What overlayfs builds a root filesystem on: folders below `store`, top first. */
export interface Rootfs {
  readonly store: string;
  readonly layers: readonly string[];
}

/** One layer of an image and everything below it. */
export interface ChainLayer {
  readonly chainId: string;
  readonly diffId: string;
  readonly blob: Descriptor;
}

/** Names each layer by what it and those below it are (image-spec, config.md). Bottom first. */
export function chainOf(diffIds: readonly string[], blobs: readonly Descriptor[]): readonly ChainLayer[] {
  const chain: ChainLayer[] = [];
  let below = '';
  for (const [at, diffId] of diffIds.entries()) {
    const blob = blobs[at];
    if (blob === undefined) break;
    const chainId = below === '' ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`;
    chain.push({ chainId, diffId, blob });
    below = chainId;
  }
  return chain;
}

/** The root filesystem of a chain, or undefined unless every layer is unpacked. */
export async function findRootfs(paths: StorePaths, chain: readonly ChainLayer[]): Promise<Rootfs | undefined> {
  const layers: string[] = [];
  for (const { chainId } of chain) {
    const name = await findLayer(paths, chainId);
    if (name === undefined) return undefined;
    layers.unshift(name);
  }
  return { store: paths.layers, layers };
}

/** Folder of an unpacked layer in `paths.layers`. */
async function findLayer(paths: StorePaths, chainId: string): Promise<string | undefined> {
  try {
    const name = basename(await readlink(join(paths.chains, hexOf(chainId))));
    return (await stat(join(paths.layers, name))).isDirectory() ? name : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Layers that are unpacked in a staging folder, by chain id. */
export type StagedLayers = Map<string, string>;

/**
 * Unpacks what is missing of a chain into the staging folder, some layers at once: one that looks at what is below it waits until
 * that is whole. Hold the layers lock, so that the work is done once.
 * `mustEnd`: an archive without an end mark counts as cut off.
 * @throws MinirtError image.invalid, image.digest-mismatch, image.unsupported, io
 */
export async function stageChain(
  into: {
    readonly paths: StorePaths;
    readonly staging: Staging;
    readonly staged: StagedLayers;
    readonly mustEnd?: boolean;
    readonly meter: Meter;
  },
  chain: readonly ChainLayer[],
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  setMaxListeners(0, either);
  const { meter, mustEnd = false } = into;
  const slots = new Slots(AT_ONCE);
  const begun: { readonly chainId: string; readonly directory: string; readonly done: Promise<void> }[] = [];
  let lowers: Promise<readonly string[]> = Promise.resolve([]);
  try {
    for (const layer of chain) {
      const { chainId } = layer;
      const name = await findLayer(into.paths, chainId);
      const known = name === undefined ? into.staged.get(chainId) : join(into.paths.layers, name);
      const directory = known ?? into.staging.name('l');
      const below = lowers;
      const unpack = async (): Promise<void> => {
        await mkdir(directory, { mode: 0o755 });
        const tar = layerTar(into.staging.blob(layer.blob.digest), layer, meter);
        await applyLayer(tar, { directory, lowers: below, mustEnd, meter }, either);
      };
      const done = known === undefined ? slots.run(unpack) : Promise.resolve();
      if (known === undefined) begun.push({ chainId, directory, done });
      done.catch((error: unknown) => {
        stop.abort(error);
      });
      lowers = Promise.all([below, done]).then(([others]) => [directory, ...others]);
      // Whoever waits for it tells; nobody may.
      lowers.catch(() => undefined);
    }
    await lowers;
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    // The staging folder must not go while somebody writes to it.
    await Promise.allSettled(begun.map(({ done }) => done));
  }
  for (const { chainId, directory } of begun) into.staged.set(chainId, directory);
}

/** Layers that are unpacked at once: each keeps a helper busy, and all together the process that inflates and verifies. */
const AT_ONCE = 3;

/** Work that is begun in the order in which it comes, so much of it at once. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((next) => this.#waiting.push(next));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Moves staged layers into the store. Hold the layers lock. */
export async function commitLayers(paths: StorePaths, staged: StagedLayers): Promise<void> {
  for (const [chainId, directory] of staged) {
    const name = randomBytes(6).toString('hex');
    const link = join(paths.chains, hexOf(chainId));
    await rename(directory, join(paths.layers, name));
    const fresh = `${link}.${name}`;
    await symlink(join('..', name), fresh);
    await rename(fresh, link).catch(async (error: unknown) => {
      await unlink(fresh);
      throw error;
    });
  }
  staged.clear();
}

/** The uncompressed bytes of a layer, which are the expected ones or an error. */
function layerTar(path: string, layer: ChainLayer, meter: Meter): AsyncIterable<Uint8Array> {
  const expected: Expected = { what: 'layer', digest: layer.diffId, size: undefined };
  return verified(meter.count(inflatedFile(path, compressionOf(layer.blob)), layer.blob.size), expected);
}
