import { MinirtError } from '../base/errors.ts';
import type { Compression } from './compression.ts';
import { hostArchitecture } from './config.ts';
import { hexOf } from './digest.ts';
import { type JsonObject, isObject, parseObject, textIn } from './json.ts';

export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  tar: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

const INDEXES: ReadonlySet<string> = new Set([
  MEDIA.index,
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const MANIFESTS: ReadonlySet<string> = new Set([
  MEDIA.manifest,
  'application/vnd.docker.distribution.manifest.v2+json',
]);
/** What to ask a registry for. */
export const ACCEPTED: readonly string[] = [...INDEXES, ...MANIFESTS];
const CONFIGS: ReadonlySet<string> = new Set([MEDIA.config, 'application/vnd.docker.container.image.v1+json']);
const TARS: ReadonlySet<string> = new Set([
  MEDIA.tar,
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.docker.image.rootfs.diff.tar',
]);
const GZIPS: ReadonlySet<string> = new Set([
  MEDIA.gzip,
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
]);

const ZSTDS: ReadonlySet<string> = new Set([
  MEDIA.zstd,
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  'application/vnd.docker.image.rootfs.diff.tar.zstd',
]);

/** More layers than overlayfs takes in one mount. */
const MOST_LAYERS = 127;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform: DescribedPlatform | undefined;
}

/** As an index says it, with gaps. */
interface DescribedPlatform {
  readonly os: string | undefined;
  readonly architecture: string | undefined;
  readonly variant?: string | undefined;
}

/** What an image is for, in the names of GOOS and GOARCH. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7`; undefined: any. */
  readonly variant?: string | undefined;
}

export interface Manifest {
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
}

/** A reader of an index or a manifest, told apart by media type and then by shape. */
export type Document =
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] }
  | { readonly kind: 'manifest'; readonly manifest: Manifest };

/**
 * Reads what a descriptor of type `mediaType` leads to. A document that could be read both ways is refused
 * (CVE-2021-41190).
 * @throws MinirtError image.invalid, image.unsupported
 */
export function parseDocument(bytes: Uint8Array, mediaType: string | undefined): Document {
  const document = parseObject(bytes, 'manifest');
  const isIndex = document['manifests'] !== undefined;
  if (isIndex && (document['layers'] !== undefined || document['config'] !== undefined)) {
    throw new MinirtError('image.invalid', 'read manifest: it is an index and a manifest at once');
  }
  const said = textIn(document, 'mediaType', 'manifest') ?? mediaType ?? (isIndex ? MEDIA.index : MEDIA.manifest);
  if (mediaType !== undefined && said !== mediaType) {
    throw new MinirtError('image.invalid', `read manifest: it says ${said} where ${mediaType} is expected`);
  }
  if (isIndex ? !INDEXES.has(said) : !MANIFESTS.has(said)) {
    throw new MinirtError('image.unsupported', `read manifest: media type ${said}`);
  }
  if (isIndex) return { kind: 'index', manifests: descriptorsIn(document, 'manifests') };
  return { kind: 'manifest', manifest: toManifest(document) };
}

function toManifest(document: JsonObject): Manifest {
  const config = toDescriptor(document['config'], 'config');
  if (!CONFIGS.has(config.mediaType)) {
    throw new MinirtError(
      'image.unsupported',
      `read manifest: ${config.mediaType}: not the config of a container image`,
    );
  }
  const layers = descriptorsIn(document, 'layers');
  if (layers.length === 0) throw new MinirtError('image.invalid', 'read manifest: no layers');
  if (layers.length > MOST_LAYERS)
    throw new MinirtError('image.unsupported', `read manifest: more than ${MOST_LAYERS} layers`);
  layers.forEach(compressionOf);
  return { config, layers };
}

/** @throws MinirtError image.unsupported */
export function compressionOf(layer: Descriptor): Compression {
  if (TARS.has(layer.mediaType)) return 'none';
  if (GZIPS.has(layer.mediaType)) return 'gzip';
  if (ZSTDS.has(layer.mediaType)) return 'zstd';
  throw new MinirtError('image.unsupported', `read manifest: layer of type ${layer.mediaType}`);
}

/**
 * The image for this host, or for another platform that was asked for. Attestations (platform unknown/unknown) are no images.
 * @throws MinirtError image.unsupported
 */
export function choosePlatform(
  manifests: readonly Descriptor[],
  wanted: Platform = { os: 'linux', architecture: hostArchitecture() },
): Descriptor {
  const { os, architecture, variant } = wanted;
  const isOurs = ({ platform }: Descriptor): boolean =>
    (platform?.os ?? 'linux') === os &&
    (platform?.architecture ?? architecture) === architecture &&
    (variant === undefined || platform?.variant === variant);
  const found = manifests.find((one) => one.platform !== undefined && isOurs(one)) ?? manifests.find(isOurs);
  if (found !== undefined) return found;
  const offered = manifests.map(({ platform }) => `${platform?.os ?? '?'}/${platform?.architecture ?? '?'}`).join(', ');
  throw new MinirtError(
    'image.unsupported',
    `choose platform: ${os}/${architecture}${variant === undefined ? '' : `/${variant}`}: the image is for ${offered || 'nothing'}`,
  );
}

export function descriptorsIn(document: JsonObject, key: string): readonly Descriptor[] {
  const list = document[key];
  if (!Array.isArray(list)) throw new MinirtError('image.invalid', `read manifest: ${key}: not a list`);
  return list.map((item: unknown) => toDescriptor(item, key));
}

function toDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw new MinirtError('image.invalid', `read manifest: ${what}: not a descriptor`);
  const digest = value['digest'];
  const size = value['size'];
  hexOf(digest);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new MinirtError('image.invalid', `read manifest: ${what}: size is not a number of bytes`);
  }
  const platform = value['platform'];
  const annotations = isObject(value['annotations']) ? Object.entries(value['annotations']) : [];
  return {
    mediaType: textIn(value, 'mediaType', 'manifest') ?? '',
    digest: digest as string,
    size,
    annotations: Object.fromEntries(
      annotations.filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    ),
    platform: isObject(platform)
      ? {
          os: textIn(platform, 'os', 'manifest'),
          architecture: textIn(platform, 'architecture', 'manifest'),
          variant: textIn(platform, 'variant', 'manifest'),
        }
      : undefined,
  };
}
