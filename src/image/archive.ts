import { writeFile } from 'node:fs/promises';
import { MinirtError } from '../base/errors.ts';
import { compressionIn } from './compression.ts';
import { parseConfig } from './config.ts';
import { digestOf } from './digest.ts';
import { headOf } from './files.ts';
import { isObject, parseJson, textIn, textsIn } from './json.ts';
import { type Stage, type StagedImage, checkConfig } from './layout.ts';
import { type Descriptor, MEDIA, type Manifest } from './manifest.ts';
import { normaliseReference } from './reference.ts';
import type { Staging } from './staging.ts';

/** The images of a `docker save` archive of the old form: `manifest.json`, configs, and layers as tar files. */
export async function stageDockerArchive(stage: Stage): Promise<readonly StagedImage[]> {
  const list = parseJson(await stage.files.read('manifest.json'), 'manifest.json');
  if (!Array.isArray(list) || list.length === 0)
    throw new MinirtError('image.invalid', 'read manifest.json: not a list of images');
  const images: StagedImage[] = [];
  for (const item of list as readonly unknown[]) {
    if (!isObject(item)) throw new MinirtError('image.invalid', 'read manifest.json: not a list of images');
    const configName = textIn(item, 'Config', 'manifest.json');
    if (configName === undefined) throw new MinirtError('image.invalid', 'read manifest.json: Config: missing');
    const names = textsIn(item, 'RepoTags', 'manifest.json').map(normaliseReference);
    const layers: Descriptor[] = [];
    for (const name of textsIn(item, 'Layers', 'manifest.json')) layers.push(await stageLayer(stage, name));
    images.push(await stageImage(stage.staging, { config: await stage.files.read(configName), layers, names }));
  }
  return images;
}

async function stageLayer({ files, staging }: Stage, name: string): Promise<Descriptor> {
  const { path, staged } = await files.open(name);
  if (staged === undefined)
    throw new MinirtError('image.unsupported', 'load image: a docker archive must be a tar file');
  const known = staging.has(staged.digest);
  if (!known) staging.adopt(staged.digest, path);
  return layerDescriptor(staged, await headOf(staging.blob(staged.digest)));
}

/** The descriptor of a layer that comes without one. */
export function layerDescriptor(
  blob: { readonly digest: string; readonly size: number },
  head: Uint8Array,
): Descriptor {
  const compression = compressionIn(head);
  return {
    mediaType: compression === 'none' ? MEDIA.tar : MEDIA[compression],
    digest: blob.digest,
    size: blob.size,
    annotations: {},
    platform: undefined,
  };
}

/** Writes the manifest that an image without one gets. Layers are in the staging folder. */
export async function stageImage(
  staging: Staging,
  image: { readonly config: Buffer; readonly layers: readonly Descriptor[]; readonly names: readonly string[] },
): Promise<StagedImage> {
  const config = parseConfig(image.config);
  const configDescriptor = await stageBytes(staging, image.config, MEDIA.config);
  const manifest: Manifest = { config: configDescriptor, layers: image.layers };
  checkConfig(config, manifest);
  const plain = ({ mediaType, digest, size }: Descriptor): object => ({ mediaType, digest, size });
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: plain(configDescriptor),
    layers: image.layers.map(plain),
  };
  const descriptor = await stageBytes(staging, Buffer.from(JSON.stringify(document)), MEDIA.manifest);
  return { descriptor, manifest, config, names: image.names };
}

async function stageBytes(staging: Staging, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const path = staging.name('f');
  await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  staging.adopt(digest, path);
  return { mediaType, digest, size: bytes.length, annotations: {}, platform: undefined };
}
