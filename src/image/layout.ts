import { createReadStream } from 'node:fs';
import { MinirtError } from '../base/errors.ts';
import { type ConfigDocument, parseConfig } from './config.ts';
import { digestOf, hexOf } from './digest.ts';
import type { ImageFiles } from './files.ts';
import { parseObject, textIn } from './json.ts';
import { type Descriptor, type Manifest, choosePlatform, descriptorsIn, parseDocument } from './manifest.ts';
import { normaliseReference } from './reference.ts';
import type { Staging } from './staging.ts';

/** Full name of an image in an OCI layout, as containerd and Docker write it. */
export const CONTAINERD_NAME = 'io.containerd.image.name';
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** Indexes may lead to indexes; nobody needs more. */
const DEEPEST_INDEX = 4;

/** An image whose blobs are all in the staging folder or in the store already, verified. */
export interface StagedImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ConfigDocument;
  /** Normalised. */
  readonly names: readonly string[];
}

export interface Stage {
  readonly files: ImageFiles;
  readonly staging: Staging;
  readonly signal: AbortSignal;
}

/** The images of an OCI image layout. */
export async function stageLayout(stage: Stage): Promise<readonly StagedImage[]> {
  if (await stage.files.has('oci-layout')) {
    const version = textIn(
      parseObject(await stage.files.read('oci-layout'), 'oci-layout'),
      'imageLayoutVersion',
      'oci-layout',
    );
    if (version !== '1.0.0')
      throw new MinirtError('image.unsupported', `load image: OCI layout version ${version ?? '(none)'}`);
  }
  const index = parseObject(await stage.files.read('index.json'), 'index.json');
  const images = new Map<string, StagedImage>();
  for (const top of descriptorsIn(index, 'manifests')) {
    const image = await stageManifest(stage, top, 0);
    const names = new Set([...(images.get(image.descriptor.digest)?.names ?? []), ...namesOf(top)]);
    images.set(image.descriptor.digest, { ...image, names: [...names] });
  }
  if (images.size === 0) throw new MinirtError('image.invalid', 'load image: the layout holds no image');
  return [...images.values()];
}

async function stageManifest(stage: Stage, descriptor: Descriptor, depth: number): Promise<StagedImage> {
  const bytes = await stageDocument(stage, descriptor);
  const document = parseDocument(bytes, descriptor.mediaType || undefined);
  if (document.kind === 'index') {
    if (depth === DEEPEST_INDEX) throw new MinirtError('image.invalid', `load image: indexes ${DEEPEST_INDEX} deep`);
    return stageManifest(stage, choosePlatform(document.manifests), depth + 1);
  }
  const config = parseConfig(await stageDocument(stage, document.manifest.config));
  checkConfig(config, document.manifest);
  for (const layer of document.manifest.layers) await stageBlob(stage, layer);
  return { descriptor, manifest: document.manifest, config, names: [] };
}

/** @throws MinirtError image.invalid, image.unsupported */
export function checkConfig(config: ConfigDocument, manifest: Manifest): void {
  if (config.diffIds.length !== manifest.layers.length) {
    throw new MinirtError(
      'image.invalid',
      `load image: ${manifest.layers.length} layers but ${config.diffIds.length} diff_ids`,
    );
  }
  if (config.os !== undefined && config.os !== 'linux')
    throw new MinirtError('image.unsupported', `load image: it is for ${config.os}`);
}

async function stageDocument(stage: Stage, descriptor: Descriptor): Promise<Buffer> {
  const bytes = await stage.files.read(`blobs/sha256/${hexOf(descriptor.digest)}`);
  if (bytes.length !== descriptor.size || digestOf(bytes) !== descriptor.digest) {
    throw new MinirtError(
      'image.digest-mismatch',
      `verify blob: ${descriptor.digest}: the content is ${digestOf(bytes)}`,
    );
  }
  await stageBlob(stage, descriptor);
  return bytes;
}

/** Brings one blob to where the commit finds it, once. */
async function stageBlob(stage: Stage, descriptor: Descriptor): Promise<void> {
  if (stage.staging.has(descriptor.digest)) return;
  const name = `blobs/sha256/${hexOf(descriptor.digest)}`;
  if (await stage.staging.borrow(descriptor.digest)) return;
  const { path, staged } = await stage.files.open(name);
  if (staged === undefined)
    return stage.staging.copy(createReadStream(path, { highWaterMark: 1 << 20 }), descriptor, stage.signal);
  if (staged.digest !== descriptor.digest || staged.size !== descriptor.size) {
    throw new MinirtError(
      'image.digest-mismatch',
      `verify blob: ${descriptor.digest}: the content is ${staged.digest}, ${staged.size} bytes`,
    );
  }
  stage.staging.adopt(descriptor.digest, path);
}

/** Docker and containerd write the full name in one annotation, everybody else what they have in the other. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const name = annotations[CONTAINERD_NAME] ?? annotations[REF_NAME];
  return name === undefined ? [] : [normaliseReference(name)];
}
