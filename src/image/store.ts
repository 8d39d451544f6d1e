import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { abortReason } from '../base/clock.ts';
import { MinirtError } from '../base/errors.ts';
import { layerDescriptor, stageDockerArchive, stageImage } from './archive.ts';
import type { Image } from './catalog.ts';
import { type Compression, compressionIn, inflatedFile } from './compression.ts';
import { type ImageConfig, formatConfig } from './config.ts';
import { onDisk } from './disk.ts';
import { type Source, archiveFiles, folderFiles, folderOf, headOf } from './files.ts';
import { type ImageSource, readIndex, withImage, writeIndex } from './index-file.ts';
import { type StagedImage, stageLayout } from './layout.ts';
import { DEFAULT_LIMITS, type Limits, Meter, NO_LIMITS } from './limits.ts';
import { type Moved, NamedImages, tagName } from './names.ts';
import { parseReference } from './reference.ts';
import { type PullOptions, stageRemote } from './registry/pull.ts';
import { type Rootfs, type StagedLayers, chainOf, commitLayers, findRootfs, stageChain } from './snapshot.ts';
import { Staging } from './staging.ts';
import { makeStore, pullLock, storePaths } from './store-paths.ts';
import { withLock } from '../helper/flock.ts';

export type { Image } from './catalog.ts';
export type { ImageConfig } from './config.ts';
export type { ImageSource } from './index-file.ts';
export type { Guard, Moved } from './names.ts';
export type { ImageParts } from './parts.ts';
export type { Rootfs } from './snapshot.ts';

export interface LoadOptions {
  readonly source?: ImageSource;
  readonly limits?: Limits;
  /** Told of every name that was another image's. */
  readonly moved?: (moved: Moved) => void;
}

/** Opens the image store below `root`; nothing is made before something is stored. */
export function openImageStore(root: string): ImageStore {
  return new ImageStore(storePaths(root));
}

/**
 * Images on disk as an OCI image layout, and their unpacked layers. Several processes may use one at once: readers see
 * only what is complete, writers take turns.
 */
export class ImageStore extends NamedImages {
  /**
   * Stores the images of an OCI layout (folder or tar) or of a docker archive, with their layers unpacked; all or none.
   * Returns their names; an image without a name is called by its id.
   * @throws MinirtError image.invalid, image.unsupported, image.digest-mismatch, image.too-large, reference.invalid, io
   */
  async load(source: Source, signal: AbortSignal, options: LoadOptions = {}): Promise<readonly string[]> {
    return await onDisk(this.paths.root, () => this.#load(source, signal, options));
  }

  async #load(source: Source, signal: AbortSignal, options: LoadOptions): Promise<readonly string[]> {
    const { source: origin = 'loaded', limits = DEFAULT_LIMITS } = options;
    makeStore(this.paths);
    await using staging = await Staging.open(this.paths, signal);
    const folder = await folderOf(source);
    const files = folder !== undefined ? folderFiles(folder) : await archiveFiles(source, { staging, limits }, signal);
    const stage = { files, staging, signal };
    let images: readonly StagedImage[];
    if (await files.has('index.json')) images = await stageLayout(stage);
    else if (await files.has('manifest.json')) images = await stageDockerArchive(stage);
    else
      throw new MinirtError('image.invalid', 'load image: neither an OCI layout nor a docker archive', {
        hint: 'minirt import takes a root filesystem',
      });
    await this.#commit({ staging, images, source: origin, limits, moved: options.moved }, signal);
    return images.flatMap(({ names, manifest }) => (names.length > 0 ? names : [manifest.config.digest]));
  }

  /**
   * Brings an image from its registry. Another process that pulls the same reference is waited for, and then only what changed since
   * is brought.
   * @throws MinirtError reference.invalid, image.*, registry.refused, registry.unreachable, io
   */
  async pull(
    reference: string,
    signal: AbortSignal,
    options: PullOptions & { readonly limits?: Limits } = {},
  ): Promise<Image> {
    const { limits = DEFAULT_LIMITS } = options;
    const wanted = parseReference(reference);
    makeStore(this.paths);
    const work = async (): Promise<Image> => {
      await using staging = await Staging.open(this.paths, signal);
      const image = await stageRemote({ staging, signal }, wanted, options);
      await this.#commit({ staging, images: [image], source: 'pulled', limits }, signal);
      const pulled = await this.find(image.descriptor.digest);
      if (pulled === undefined) throw new MinirtError('internal', `pull image: ${reference}: it is not there`);
      return pulled;
    };
    return onDisk(this.paths.root, () => withLock(pullLock(this.paths, wanted), signal, work));
  }

  /**
   * Makes an image of one layer from the tar of a root filesystem (gzip, zstd or plain).
   * @throws MinirtError image.invalid, image.unsupported, image.too-large, reference.invalid, io
   */
  async importRootfs(
    source: Source,
    what: { readonly reference: string; readonly config?: Partial<ImageConfig>; readonly limits?: Limits },
    signal: AbortSignal,
  ): Promise<Image> {
    return await onDisk(this.paths.root, () => this.#import(source, what, signal));
  }

  async #import(
    source: Source,
    what: { readonly reference: string; readonly config?: Partial<ImageConfig>; readonly limits?: Limits },
    signal: AbortSignal,
  ): Promise<Image> {
    const { reference, config = {}, limits = DEFAULT_LIMITS } = what;
    const name = tagName(reference);
    const folder = await folderOf(source);
    if (folder !== undefined) {
      throw new MinirtError('image.invalid', `import image: ${folder}: a folder`, {
        hint: `tar -C ${folder} -c . | minirt import - ${reference}`,
      });
    }
    makeStore(this.paths);
    await using staging = await Staging.open(this.paths, signal);
    const bytes = 'path' in source ? createReadStream(source.path, { highWaterMark: 1 << 20 }) : source.stream;
    const file = await staging.write(bytes, signal);
    const head = await headOf(file.path);
    staging.adopt(file.digest, file.path);
    const compression = compressionIn(head);
    const diffId = compression === 'none' ? file.digest : await plainDigest(file, compression, { limits, signal });
    const document = formatConfig(config, { diffIds: [diffId], created: new Date().toISOString() });
    const image = await stageImage(staging, { config: document, layers: [layerDescriptor(file, head)], names: [name] });
    await this.#commit({ staging, images: [image], source: 'imported', limits, mustEnd: true }, signal);
    const imported = await this.find(name);
    if (imported === undefined) throw new MinirtError('internal', `import image: ${name}: it is not there`);
    return imported;
  }

  /**
   * The image's unpacked layers, for overlayfs; unpacks what is missing.
   * @throws MinirtError image.invalid, image.digest-mismatch, io
   */
  async rootfs(image: Image, signal: AbortSignal): Promise<Rootfs> {
    const { manifest, config } = await this.documents(image.digest);
    const chain = chainOf(config.diffIds, manifest.layers);
    const found = await findRootfs(this.paths, chain);
    if (found !== undefined) return found;
    await using staging = await Staging.open(this.paths, signal);
    return await withLock(this.paths.layersLock, signal, async () => {
      const staged: StagedLayers = new Map();
      await stageChain({ paths: this.paths, staging, staged, meter: new Meter(NO_LIMITS) }, chain, signal);
      await commitLayers(this.paths, staged);
      const rootfs = await findRootfs(this.paths, chain);
      if (rootfs === undefined)
        throw new MinirtError('internal', `unpack image: ${image.id}: its layers are not there`);
      return rootfs;
    });
  }

  /** Unpacks, and only then shows: an image in the index is one whose every byte was verified. */
  async #commit(
    what: {
      staging: Staging;
      images: readonly StagedImage[];
      source: ImageSource;
      limits: Limits;
      mustEnd?: boolean;
      moved?: LoadOptions['moved'];
    },
    signal: AbortSignal,
  ): Promise<void> {
    await withLock(this.paths.layersLock, signal, async () => {
      const staged: StagedLayers = new Map();
      for (const { config, manifest } of what.images) {
        const meter = new Meter(what.limits);
        const into = { paths: this.paths, staging: what.staging, staged, meter, mustEnd: what.mustEnd ?? false };
        await stageChain(into, chainOf(config.diffIds, manifest.layers), signal);
      }
      await withLock(this.paths.indexLock, signal, async () => {
        await commitLayers(this.paths, staged);
        await what.staging.commitBlobs();
        let index = await readIndex(this.paths);
        const moved: Moved[] = [];
        for (const image of what.images) {
          moved.push(...(await this.movedBy(index, image)));
          index = withImage(index, image, what.source);
        }
        await writeIndex(this.paths, index);
        moved.forEach((one) => what.moved?.(one));
      });
    });
  }
}

async function plainDigest(
  { path, size }: { readonly path: string; readonly size: number },
  compression: Compression,
  { limits, signal }: { readonly limits: Limits; readonly signal: AbortSignal },
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of new Meter(limits).count(inflatedFile(path, compression), size)) {
    if (signal.aborted) throw abortReason(signal);
    hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}`;
}
