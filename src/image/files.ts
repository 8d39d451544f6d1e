import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { HEAD_BYTES, compressionIn, inflated } from './compression.ts';
import type { Tally } from './digest.ts';
import { LARGEST_JSON } from './json.ts';
import { type TarEntry, readTar } from './layer/entries.ts';
import { linkTarget } from './layer/name.ts';
import { type Limits, Meter } from './limits.ts';
import type { Staging } from './staging.ts';

/** An archive of an image holds a few files per layer. */
const MOST_FILES = 10_000;

export type Source = { readonly path: string } | { readonly stream: Readable };

/** The folder that a source is, if it is one. @throws MinirtError io when there is nothing */
export async function folderOf(source: Source): Promise<string | undefined> {
  if (!('path' in source)) return undefined;
  try {
    return (await stat(source.path)).isDirectory() ? source.path : undefined;
  } catch (cause) {
    throw new MinirtError('io', `read ${source.path}: ${messageOf(cause)}`, { cause });
  }
}

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
export async function archiveFiles(
  source: Source,
  { staging, limits }: { readonly staging: Staging; readonly limits: Limits },
  signal: AbortSignal,
): Promise<ImageFiles> {
  const files = new Map<string, { readonly path: string; readonly staged: Tally }>();
  const links = new Map<string, string>();
  const meter = new Meter({ ...limits, ratio: Infinity });
  let count = 0;
  for await (const entry of readTar(meter.count(await plainTar(source), 0))) {
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

/** The bytes of a tar, packed or not. */
async function plainTar(source: Source): Promise<AsyncIterable<Uint8Array>> {
  const raw = 'path' in source ? createReadStream(source.path, { highWaterMark: 1 << 20 }) : source.stream;
  const iterator = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const head: Buffer[] = [];
  let seen = 0;
  while (seen < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    seen += next.value.length;
  }
  const all = Readable.from(
    (async function* () {
      for (const chunk of head) if (chunk.length > 0) yield chunk;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    })(),
    { objectMode: false, highWaterMark: 1 << 20 },
  );
  return inflated(all, compressionIn(Buffer.concat(head)));
}

/** The first bytes of a file. */
export async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
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
