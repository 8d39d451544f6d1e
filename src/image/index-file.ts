import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { readDocument } from './files.ts';
import { parseObject } from './json.ts';
import { REF_NAME } from './layout.ts';
import { type Descriptor, MEDIA, descriptorsIn } from './manifest.ts';
import type { StorePaths } from './store-paths.ts';

/** How an image came here, in its descriptor. */
export const SOURCE = 'dev.minirt.source';

export type ImageSource = 'loaded' | 'imported' | 'recipe' | 'pulled';

/** What the store holds: one descriptor per name, and one without a name for an image that lost its last one. */
export async function readIndex(paths: StorePaths): Promise<readonly Descriptor[]> {
  try {
    return descriptorsIn(parseObject(await readDocument(paths.index, paths.index), paths.index), 'manifests');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Replaces the index at once; readers see the old one or the new one. Hold the index lock. */
export async function writeIndex(paths: StorePaths, descriptors: readonly Descriptor[]): Promise<void> {
  await replaceFile(paths.marker, '{"imageLayoutVersion":"1.0.0"}');
  await replaceFile(paths.index, JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests: descriptors }));
}

/** The index with these names for one image. An image that loses its last name stays, without one. */
export function withImage(
  index: readonly Descriptor[],
  image: { readonly descriptor: Descriptor; readonly names: readonly string[] },
  source: ImageSource,
): readonly Descriptor[] {
  const { digest, mediaType, size } = image.descriptor;
  const entry = (annotations: Readonly<Record<string, string>>): Descriptor => ({
    mediaType: mediaType || MEDIA.manifest,
    digest,
    size,
    annotations: { ...annotations, [SOURCE]: source },
    platform: undefined,
  });
  const taken = new Set(image.names);
  const unnamed = index.map((one) => {
    if (!taken.has(one.annotations[REF_NAME] ?? '')) return one;
    const { [REF_NAME]: _name, ...annotations } = one.annotations;
    return { ...one, annotations };
  });
  const added = image.names.length === 0 ? [entry({})] : image.names.map((name) => entry({ [REF_NAME]: name }));
  const all = [...unnamed, ...added];
  const named = new Set(all.filter((one) => one.annotations[REF_NAME] !== undefined).map((one) => one.digest));
  const seen = new Set<string>();
  return all.filter((one) => {
    if (one.annotations[REF_NAME] !== undefined) return true;
    if (named.has(one.digest) || seen.has(one.digest)) return false;
    seen.add(one.digest);
    return true;
  });
}

/** The index without some names of one image, and without the image when `names` is undefined. */
export function withoutNames(
  index: readonly Descriptor[],
  digest: string,
  names: ReadonlySet<string> | undefined,
): readonly Descriptor[] {
  return index.filter(
    (one) => one.digest !== digest || (names !== undefined && !names.has(one.annotations[REF_NAME] ?? '')),
  );
}

/** Removes what writers of the index left that were killed. Hold the index lock. */
export async function dropDrafts(paths: StorePaths): Promise<void> {
  for (const name of await readdir(paths.root)) {
    if (/^(index\.json|oci-layout)\.[0-9a-f]{8}$/.test(name)) await rm(join(paths.root, name), { force: true });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(fresh, text, { flag: 'wx', mode: 0o600 });
    const file = await open(fresh, 'r');
    await file.sync();
    await file.close();
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
}
