import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MinirtError } from '../base/errors.ts';
import { isZstd, unzstd } from './zstd.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes that {@link compressionIn} needs to see. */
export const HEAD_BYTES = 4;

/** @param head the first {@link HEAD_BYTES} of a stream, or all of it */
export function compressionIn(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return isZstd(head) ? 'zstd' : 'none';
}

/**
 * What a stream unfolds to; one of several members or frames is one stream.
 * @throws MinirtError image.invalid while reading, when it is broken or cut off; image.unsupported
 */
export function inflated(bytes: Readable, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === 'gzip') return gunzipped(bytes);
  return compression === 'zstd' ? unzstd(bytes) : bytes;
}

/** {@link inflated} for a file; closed when the reader stops. */
export async function* inflatedFile(path: string, compression: Compression): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    yield* inflated(file, compression);
  } finally {
    file.destroy();
  }
}

async function* gunzipped(bytes: Readable): AsyncGenerator<Uint8Array> {
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
