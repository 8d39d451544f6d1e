import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MinirtError, isErrno } from '../base/errors.ts';
import type { Tally } from './digest.ts';
import { LARGEST_JSON } from './json.ts';
import { type TarEntry, readTar } from './layer/entries.ts';
import { linkTarget } from './layer/name.ts';
import type { Staging } from './staging.ts';

/** An archive of an image holds a few files per layer. */
const MOST_FILES = 10_000;

export type Source = { readonly path: string } | { readonly stream: Readable };

/** The files of an image that is being loaded: a folder or an archive, by their names in it. */
export interface ImageFiles {
  has(name: string): Promise<boolean>;
  /** A small document. @throws MinirtError image.invalid when it is missing or large */
  read(name: string): Promise<Buffer>;
  /** Whatever its size; `staged` says where it lies when it is already a file of the staging folder. */
  open(name: string): Promise<{ readonly path: string; readonly staged: Tally | undefined }>;
}

/** A folder on the host. Names are made by minirt (`index.json`, `blobs/sha256/…`), never taken from documents. */
export function folderFiles(dir: string): ImageFiles {
  const find = async (name: string): Promise<string | undefined> => {
    const path = join(dir, name);
    try {
      return (await stat(path)).isFile() ? path : undefined;
    } catch (error) {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
      throw error;
    }
  };
  return toFiles(dir, async (name) => {
    const path = await find(name);
    return path === undefined ? undefined : { path, staged: undefined };
  });
}

/** The members of an archive, each in a file of the staging folder, under a name of ours. */
export async function archiveFiles(source: Source, staging: Staging, signal: AbortSignal): Promise<ImageFiles> {
  const files = new Map<string, { readonly path: string; readonly staged: Tally }>();
  const links = new Map<string, string>();
  let count = 0;
  for await (const entry of readTar(await inflated(source))) {
    if (++count > MOST_FILES)
      throw new MinirtError('image.invalid', `load image: more than ${MOST_FILES} files in the archive`);
    const name = linkTarget(entry.name.replace(/^(\.?\/)+$/, 'root'));
    if (entry.name.startsWith('/'))
      throw new MinirtError('image.invalid', `load image: ${JSON.stringify(name)}: an absolute name`);
    if (entry.type === 'file') {
      const { path, digest, size } = await staging.write(Readable.from(entry.content, { objectMode: false }), signal);
      files.set(name, { path, staged: { digest, size } });
    } else {
      const target = linkOf(name, entry);
      if (target !== undefined) links.set(name, target);
      for await (const _chunk of entry.content);
    }
  }
  return toFiles('the archive', async (name) => files.get(name) ?? files.get(links.get(name) ?? ''));
}

/** Old `docker save` writes a layer that occurs twice as a link to the first: `../ID/layer.tar`. */
function linkOf(name: string, entry: TarEntry): string | undefined {
  if (entry.type === 'link') return linkTarget(entry.linkname);
  if (entry.type !== 'symlink') return undefined;
  const parts = name.split('/').slice(0, -1);
  for (const part of entry.linkname.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** The bytes of a tar, inflated when they are gzip. Multi-member gzip is one stream. */
export async function inflated(source: Source): Promise<AsyncIterable<Uint8Array>> {
  const raw = 'path' in source ? createReadStream(source.path, { highWaterMark: 1 << 20 }) : source.stream;
  const iterator = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await iterator.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  const all = Readable.from(
    (async function* () {
      if (head.length > 0) yield head;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    })(),
    { objectMode: false, highWaterMark: 1 << 20 },
  );
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) {
    throw new MinirtError('image.unsupported', 'load image: it is compressed with zstd', {
      hint: 'zstd -dc FILE | minirt load',
    });
  }
  return isGzip(head) ? gunzipped(all) : all;
}

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** @throws MinirtError image.invalid while reading, when the gzip is broken or cut off */
export async function* gunzipped(bytes: Readable): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  bytes.on('error', (error) => gunzip.destroy(error));
  bytes.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_')) throw error;
    throw new MinirtError('image.invalid', `inflate: ${(error as Error).message}`, { cause: error });
  } finally {
    bytes.destroy();
    gunzip.destroy();
  }
}

/** The first bytes of a file. */
export async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A whole file that is no longer than a document may be. */
export async function readDocument(path: string, what: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > LARGEST_JSON) throw new MinirtError('image.invalid', `read ${what}: over ${LARGEST_JSON} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

type Found = { readonly path: string; readonly staged: Tally | undefined };

function toFiles(where: string, find: (name: string) => Promise<Found | undefined>): ImageFiles {
  const need = async (name: string): Promise<Found> => {
    const found = await find(name);
    if (found === undefined) throw new MinirtError('image.invalid', `load image: ${name}: not in ${where}`);
    return found;
  };
  return {
    has: async (name) => (await find(name)) !== undefined,
    read: async (name) => readDocument((await need(name)).path, name),
    open: need,
  };
}
