import { MinirtError, isErrno } from '../base/errors.ts';
import { type ConfigDocument, type ImageConfig, parseConfig } from './config.ts';
import { digestOf } from './digest.ts';
import { readDocument } from './files.ts';
import { type ImageSource, SOURCE, readIndex } from './index-file.ts';
import { REF_NAME } from './layout.ts';
import { type Descriptor, type Manifest, choosePlatform, parseDocument } from './manifest.ts';
import type { ImageParts } from './parts.ts';
import { normaliseReference, parseReference } from './reference.ts';
import { chainOf } from './snapshot.ts';
import { type StorePaths, blobPath } from './store-paths.ts';

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

interface Documents {
  readonly manifest: Manifest;
  readonly config: ConfigDocument;
  /** Digests from the one asked for to the manifest: more than one when it is an index. */
  readonly path: readonly string[];
}

/** The images of a store, for reading: complete ones only, whatever others do at the same time. */
export class Catalog {
  protected readonly paths: StorePaths;

  constructor(paths: StorePaths) {
    this.paths = paths;
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
    for (const descriptor of await readIndex(this.paths)) {
      const name = descriptor.annotations[REF_NAME];
      const names = name === undefined ? [] : [name];
      const known = images.get(descriptor.digest);
      images.set(
        descriptor.digest,
        known ? { ...known, names: [...known.names, ...names] } : await this.image(descriptor, names),
      );
    }
    return [...images.values()];
  }

  /**
   * An image by any name it has, or by the beginning of its id.
   * @throws MinirtError image.not-found, reference.invalid
   */
  async need(reference: string): Promise<Image> {
    const prefix = /^(?:sha256:)?([a-f0-9]{4,63})$/.exec(reference)?.[1];
    const named = await this.find(reference).catch((error: unknown) => {
      if (prefix === undefined) throw error;
      return undefined;
    });
    if (named !== undefined) return named;
    const begun = prefix === undefined ? [] : (await this.list()).filter(({ id }) => id.startsWith(`sha256:${prefix}`));
    const [image] = begun;
    if (image !== undefined && begun.length === 1) return image;
    const why = begun.length > 1 ? `${begun.length} images begin so` : 'No such image';
    throw new MinirtError('image.not-found', `find image: ${reference}: ${why}`, {
      hint: '`minirt images` lists them',
    });
  }

  /** The bytes of an image's documents, as they are in the store, and its layers from the bottom. */
  async parts(image: Image): Promise<ImageParts> {
    const { manifest, config, path } = await this.documents(image.digest);
    const chain = chainOf(config.diffIds, manifest.layers);
    return {
      manifest: await this.read(path.at(-1) ?? image.digest),
      config: await this.read(manifest.config.digest),
      layers: chain.map(({ diffId, blob }) => ({ diffId, blob, path: blobPath(this.paths, blob.digest) })),
    };
  }

  /** What a descriptor of the index leads to. */
  protected async image(descriptor: Descriptor, names: readonly string[]): Promise<Image> {
    const { manifest, config } = await this.documents(descriptor.digest);
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

  /** The manifest and the config behind a digest of the index. */
  protected async documents(digest: string): Promise<Documents> {
    const document = parseDocument(await this.read(digest), undefined);
    if (document.kind === 'index') {
      const inner = await this.documents(choosePlatform(document.manifests).digest);
      return { ...inner, path: [digest, ...inner.path] };
    }
    const config = parseConfig(await this.read(document.manifest.config.digest));
    return { manifest: document.manifest, config, path: [digest] };
  }

  private async read(digest: string): Promise<Buffer> {
    const path = blobPath(this.paths, digest);
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
