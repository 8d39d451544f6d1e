import { MinirtError } from '../base/errors.ts';
import { withLock } from '../helper/flock.ts';
import { Catalog, type Image } from './catalog.ts';
import { isFull, onDisk } from './disk.ts';
import { type Needed, neededOf, sweepLayers, sweepStore } from './garbage.ts';
import { readIndex, withImage, withoutNames, writeIndex } from './index-file.ts';
import { REF_NAME, type StagedImage } from './layout.ts';
import type { Descriptor } from './manifest.ts';
import { normaliseReference, parseReference } from './reference.ts';
import { chainOf } from './snapshot.ts';
import { Staging } from './staging.ts';
import { makeStore } from './store-paths.ts';

/** A name that another image had before. */
export interface Moved {
  readonly name: string;
  /** Id of that image, which is still in the store. */
  readonly from: string;
}

/** Refuses by throwing that an image loses names, or goes altogether: because something uses it. */
export type Guard = (
  image: Image,
  lost: { readonly names: readonly string[]; readonly isGone: boolean },
) => Promise<void>;

/** What became of an image that was to go. */
export interface Removed {
  readonly image: Image;
  /** Those it lost. */
  readonly names: readonly string[];
  /** Whether it has none left and is gone. */
  readonly isGone: boolean;
  /** Bytes that were freed, packed. */
  readonly freed: number;
}

/** The names of images, and their end. */
export class NamedImages extends Catalog {
  /**
   * Gives an image one more name, which it may take from another.
   * @throws MinirtError image.not-found, reference.invalid
   */
  async tag(reference: string, name: string, signal: AbortSignal): Promise<readonly Moved[]> {
    const full = tagName(name);
    const work = async (): Promise<readonly Moved[]> => {
      const image = await this.need(reference);
      const index = await readIndex(this.paths);
      const descriptor = index.find((one) => one.digest === image.digest);
      if (descriptor === undefined) throw new MinirtError('internal', `tag image: ${image.id}: not in the index`);
      if (image.names.includes(full)) return [];
      const moved = await this.movedBy(index, { descriptor, names: [full] });
      await writeIndex(this.paths, withImage(index, { descriptor, names: [full] }, image.source));
      return moved;
    };
    return await onDisk(this.paths.root, () => withLock(this.paths.indexLock, signal, work));
  }

  /**
   * Takes names from an image, or all and the image with them; then removes everything that no image needs. `names`:
   * those to take, undefined for all. An image that loses its last name goes.
   * @throws MinirtError image.not-found, and what the guard throws: nothing has changed then
   */
  async remove(
    reference: string,
    options: { readonly names: readonly string[] | undefined; readonly guard: Guard },
    signal: AbortSignal,
  ): Promise<Removed> {
    const { result, freed } = await this.#shrink(signal, async (staging) => {
      const image = await this.need(reference);
      const names = options.names ?? image.names;
      const isGone = image.names.every((name) => names.includes(name));
      const index = await readIndex(this.paths);
      await options.guard(image, { names, isGone });
      await this.#writeShorter(withoutNames(index, image.digest, isGone ? undefined : new Set(names)), staging);
      try {
        // A pod that is found here was registered before the image went; one that is not finds no image.
        await options.guard(image, { names, isGone });
      } catch (error) {
        await writeIndex(this.paths, index);
        throw error;
      }
      return { image, names, isGone };
    });
    return { ...result, freed };
  }

  /** Removes what no image needs. @returns bytes that were freed, packed */
  async sweep(signal: AbortSignal): Promise<number> {
    return (await this.#shrink(signal, () => Promise.resolve())).freed;
  }

  /** Does what leaves things over that no image needs, and removes those. */
  async #shrink<T>(
    signal: AbortSignal,
    work: (staging: Staging) => Promise<T>,
  ): Promise<{ readonly result: T; readonly freed: number }> {
    makeStore(this.paths);
    return await onDisk(this.paths.root, async () => {
      await using staging = await Staging.open(this.paths, signal);
      return await withLock(this.paths.layersLock, signal, () =>
        withLock(this.paths.indexLock, signal, async () => {
          const result = await work(staging);
          const needed = await this.#needed(await readIndex(this.paths));
          return { result, freed: await sweepStore(this.paths, needed, staging) };
        }),
      );
    });
  }

  /** On a full disk there is no room for the new index until something went: unpacked layers can, the blobs have them. */
  async #writeShorter(index: readonly Descriptor[], staging: Staging): Promise<void> {
    try {
      await writeIndex(this.paths, index);
    } catch (error) {
      if (!isFull(error)) throw error;
      await sweepLayers(this.paths, (await this.#needed(index)).chains, staging);
      await staging.clear();
      await writeIndex(this.paths, index);
    }
  }

  async #needed(index: readonly Descriptor[]): Promise<Needed> {
    const digests: string[] = [];
    const chainIds: string[] = [];
    for (const { digest } of index) {
      const { manifest, config, path } = await this.documents(digest);
      digests.push(...path, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest));
      chainIds.push(...chainOf(config.diffIds, manifest.layers).map(({ chainId }) => chainId));
    }
    return neededOf(digests, chainIds);
  }

  /** Names that an index gives to other images than this one. */
  protected async movedBy(
    index: readonly Descriptor[],
    { descriptor: { digest }, names }: Pick<StagedImage, 'descriptor' | 'names'>,
  ): Promise<readonly Moved[]> {
    const moved: Moved[] = [];
    for (const name of names) {
      const before = index.find((one) => one.annotations[REF_NAME] === name && one.digest !== digest);
      if (before !== undefined) moved.push({ name, from: (await this.image(before, [])).id });
    }
    return moved;
  }
}

/** A name to give: whatever else it is, it is no digest. */
export function tagName(reference: string): string {
  if (parseReference(reference).digest === undefined) return normaliseReference(reference);
  throw new MinirtError('reference.invalid', `name image: ${reference}: a digest cannot be chosen`);
}
