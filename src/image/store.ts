import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { abortReason } from '../base/clock.ts';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { layerDescriptor, stageDockerArchive, stageImage } from './archive.ts';
import { type Compression, compressionIn, inflatedFile } from './compression.ts';
import { type ConfigDocument, type ImageConfig, formatConfig, parseConfig } from './config.ts';
import { digestOf } from './digest.ts';
import { type Source, archiveFiles, folderFiles, headOf, readDocument } from './files.ts';
import { type ImageSource, SOURCE, readIndex, withImage, writeIndex } from './index-file.ts';
import { REF_NAME, type StagedImage, stageLayout } from './layout.ts';
import { DEFAULT_LIMITS, type Limits, Meter, NO_LIMITS } from './limits.ts';
import { type Descriptor, type Manifest, choosePlatform, parseDocument } from './manifest.ts';
import { normaliseReference, parseReference } from './reference.ts';
import { type Rootfs, type StagedLayers, chainOf, commitLayers, findRootfs, stageChain } from './snapshot.ts';
import { Staging } from './staging.ts';
import { type StorePaths, blobPath, makeStore, storePaths } from './store-paths.ts';
import { withLock } from '../helper/flock.ts';

export type { ImageConfig } from './config.ts';
export type { ImageSource } from './index-file.ts';
export type { Rootfs } from './snapshot.ts';

/** An image that is here. */
export interface Image {
  /** Digest of its config, `sha256:…`. */
  readonly id: string;
  /** Normalised, such as `docker.io/library/nginx:latest`; empty when other images took them. */
  readonly names: readonly string[];
  /** Digest of its manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
  /** Bytes in the store: manifest, config, layers. */
  readonly size: number;
  /** RFC 3339, as the image says. */
  readonly created: string | undefined;
  readonly source: ImageSource;
}

/** Opens the image store below `root`; nothing is made before something is stored. */
export function openImageStore(root: string): ImageStore {
  return new ImageStore(storePaths(root));
}

/**
 * Images on disk as an OCI image layout, and their unpacked layers. Several processes may use one at once: readers see
 * only what is complete, writers take turns.
 */
export class ImageStore {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /**
   * Looks an image up by reference, by its id, or by the digest of its manifest.
   * @throws MinirtError reference.invalid
   */
  async find(reference: string): Promise<Image | undefined> {
    const images = await this.list();
    const hex = /^(?:sha256:)?([a-f0-9]{64})$/.exec(reference)?.[1];
    if (hex !== undefined) return images.find(({ id, digest }) => id === `sha256:${hex}` || digest === `sha256:${hex}`);
    const wanted = parseReference(reference);
    if (wanted.digest === undefined) {
      const name = normaliseReference(reference);
      return images.find(({ names }) => names.includes(name));
    }
    // A digest says what it is; the tag beside it is decoration, the repository is not.
    const isSameRepository = (name: string): boolean => {
      const { domain, path } = parseReference(name);
      return domain === wanted.domain && path === wanted.path;
    };
    return images.find(({ digest, names }) => digest === wanted.digest && names.some(isSameRepository));
  }

  /** All images, in the order in which they came. */
  async list(): Promise<readonly Image[]> {
    const images = new Map<string, Image>();
    for (const descriptor of await readIndex(this.#paths)) {
      const name = descriptor.annotations[REF_NAME];
      const names = name === undefined ? [] : [name];
      const known = images.get(descriptor.digest);
      images.set(
        descriptor.digest,
        known ? { ...known, names: [...known.names, ...names] } : await this.#image(descriptor, names),
      );
    }
    return [...images.values()];
  }

  /**
   * Stores the images of an OCI layout (folder or tar) or of a docker archive, with their layers unpacked; all or none.
   * Returns their names; an image without a name is called by its id.
   * @throws MinirtError image.invalid, image.unsupported, image.digest-mismatch, image.too-large, reference.invalid, io
   */
  async load(
    source: Source,
    signal: AbortSignal,
    options: { readonly source?: ImageSource; readonly limits?: Limits } = {},
  ): Promise<readonly string[]> {
    const { source: origin = 'loaded', limits = DEFAULT_LIMITS } = options;
    makeStore(this.#paths);
    await using staging = await Staging.open(this.#paths, signal);
    const isFolder = 'path' in source && (await statSource(source.path)).isDirectory();
    const files = isFolder ? folderFiles(source.path) : await archiveFiles(source, { staging, limits }, signal);
    const stage = { files, staging, paths: this.#paths, signal };
    let images: readonly StagedImage[];
    if (await files.has('index.json')) images = await stageLayout(stage);
    else if (await files.has('manifest.json')) images = await stageDockerArchive(stage);
    else
      throw new MinirtError('image.invalid', 'load image: neither an OCI layout nor a docker archive', {
        hint: 'minirt import takes a root filesystem',
      });
    await this.#commit({ staging, images, source: origin, limits }, signal);
    return images.flatMap(({ names, manifest }) => (names.length > 0 ? names : [manifest.config.digest]));
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
    const { reference, config = {}, limits = DEFAULT_LIMITS } = what;
    const { digest, ...tagged } = parseReference(reference);
    if (digest !== undefined)
      throw new MinirtError('reference.invalid', `import image: ${reference}: a digest cannot be chosen`);
    const name = normaliseReference(`${tagged.domain}/${tagged.path}:${tagged.tag ?? 'latest'}`);
    if ('path' in source && (await statSource(source.path)).isDirectory()) {
      throw new MinirtError('image.invalid', `import image: ${source.path}: a folder`, {
        hint: `tar -C ${source.path} -c . | minirt import - ${reference}`,
      });
    }
    makeStore(this.#paths);
    await using staging = await Staging.open(this.#paths, signal);
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
    const { manifest, config } = await this.#documents(image.digest);
    const chain = chainOf(config.diffIds, manifest.layers);
    const found = await findRootfs(this.#paths, chain);
    if (found !== undefined) return found;
    await using staging = await Staging.open(this.#paths, signal);
    return await withLock(this.#paths.layersLock, signal, async () => {
      const staged: StagedLayers = new Map();
      await stageChain({ paths: this.#paths, staging, staged, meter: new Meter(NO_LIMITS) }, chain, signal);
      await commitLayers(this.#paths, staged);
      const rootfs = await findRootfs(this.#paths, chain);
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
    },
    signal: AbortSignal,
  ): Promise<void> {
    await withLock(this.#paths.layersLock, signal, async () => {
      const staged: StagedLayers = new Map();
      for (const { config, manifest } of what.images) {
        const meter = new Meter(what.limits);
        const into = { paths: this.#paths, staging: what.staging, staged, meter, mustEnd: what.mustEnd ?? false };
        await stageChain(into, chainOf(config.diffIds, manifest.layers), signal);
      }
      await withLock(this.#paths.indexLock, signal, async () => {
        await commitLayers(this.#paths, staged);
        await what.staging.commitBlobs();
        let index = await readIndex(this.#paths);
        for (const image of what.images) index = withImage(index, image, what.source);
        await writeIndex(this.#paths, index);
      });
    });
  }

  async #image(descriptor: Descriptor, names: readonly string[]): Promise<Image> {
    const { manifest, config } = await this.#documents(descriptor.digest);
    const size = [descriptor, manifest.config, ...manifest.layers].reduce((sum, one) => sum + one.size, 0);
    return {
      id: manifest.config.digest,
      names,
      digest: descriptor.digest,
      config: config.config,
      size,
      created: config.created,
      source: sourceOf(descriptor),
    };
  }

  async #documents(digest: string): Promise<{ manifest: Manifest; config: ConfigDocument }> {
    const document = parseDocument(await this.#read(digest), undefined);
    if (document.kind === 'index') return this.#documents(choosePlatform(document.manifests).digest);
    return { manifest: document.manifest, config: parseConfig(await this.#read(document.manifest.config.digest)) };
  }

  async #read(digest: string): Promise<Buffer> {
    const path = blobPath(this.#paths, digest);
    const bytes = await readDocument(path, digest).catch((cause: unknown) => {
      if (!isErrno(cause, 'ENOENT')) throw cause;
      throw new MinirtError('image.invalid', `read image: ${digest}: not in the store`, { cause });
    });
    if (digestOf(bytes) !== digest)
      throw new MinirtError('image.digest-mismatch', `read image: ${digest}: ${path} was changed`);
    return bytes;
  }
}

function sourceOf({ annotations }: Descriptor): ImageSource {
  const source = annotations[SOURCE];
  return source === 'imported' || source === 'recipe' || source === 'pulled' ? source : 'loaded';
}

async function statSource(path: string): Promise<{ isDirectory(): boolean }> {
  try {
    return await stat(path);
  } catch (cause) {
    throw new MinirtError('io', `read ${path}: ${messageOf(cause)}`, { cause });
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
