import { setImmediate } from 'node:timers/promises';
import { Decompress } from 'fzstd';
import { MinirtError, messageOf } from '../base/errors.ts';

/** What `zstd -20` and all usual writers of images stay within; a larger window is memory that the stream asks for. */
const LARGEST_WINDOW = 32 * 1024 * 1024;
/** RFC 8878 §3.1.1.2.3: no block is longer, packed or unpacked. */
const LARGEST_BLOCK = 128 * 1024;

/** After so many blocks others get a turn: a signal is to be seen while a stream of tiny blocks is worked off. */
const BLOCKS_PER_TURN = 64;

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** Of a block: its byte is repeated, so that only one is stored. */
const REPEATED = 1;
const RESERVED = 3;
const FCS_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/** @param head the first bytes of a stream */
export function isZstd(head: Uint8Array): boolean {
  return head.length >= 4 && new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true) === FRAME;
}

/**
 * Inflates Zstandard (RFC 8878), any number of frames, in bounded memory: block by block, so that nothing can unfold into
 * more than 128 KiB at a time. Checksums are not looked at; layers have digests.
 * @throws MinirtError image.invalid while reading, image.unsupported for a window over 32 MiB or a dictionary
 */
export async function* unzstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const inflater = new Decompress((chunk) => ready.push(chunk));
  const push = (part: Uint8Array, isLast: boolean): void => {
    try {
      inflater.push(part, isLast);
    } catch (cause) {
      throw invalid(messageOf(cause), cause);
    }
  };
  let count = 0;
  for await (const part of parts(bytes)) {
    if (++count % BLOCKS_PER_TURN === 0) await setImmediate();
    push(part, false);
    yield* ready.splice(0);
  }
  push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

/** The bytes that are to be inflated, cut where frames and blocks end, once it is known what they ask for. */
async function* parts(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new Reader(bytes);
  try {
    while (!(await reader.isAtEnd())) {
      const magic = await reader.take(4);
      if ((magic.readUInt32LE() & ~0xf) >>> 0 === SKIPPABLE) {
        for (let left = (await reader.take(4)).readUInt32LE(); left > 0; left -= LARGEST_BLOCK)
          await reader.take(Math.min(left, LARGEST_BLOCK));
        continue;
      }
      if (magic.readUInt32LE() !== FRAME) throw invalid('not a frame');
      const { bytes: header, hasChecksum } = await frameHeader(reader);
      yield Buffer.concat([magic, header]);
      for (let isLast = false; !isLast;) {
        const block = await reader.take(3);
        const about = block.readUIntLE(0, 3);
        const type = (about >> 1) & 3;
        if (type === RESERVED || about >> 3 > LARGEST_BLOCK) throw invalid('a block that there cannot be');
        isLast = (about & 1) === 1;
        yield Buffer.concat([block, await reader.take(type === REPEATED ? 1 : about >> 3)]);
      }
      if (hasChecksum) yield await reader.take(4);
    }
  } finally {
    await reader.close();
  }
}

/** RFC 8878 §3.1.1.1 */
async function frameHeader(reader: Reader): Promise<{ bytes: Buffer; hasChecksum: boolean }> {
  const first = await reader.take(1);
  const flags = first.readUInt8();
  const isSingle = (flags & 0x20) !== 0;
  const window = await reader.take(isSingle ? 0 : 1);
  const dictionary = await reader.take(DICTIONARY_BYTES[flags & 3] ?? 0);
  const size = await reader.take(flags >> 6 === 0 && isSingle ? 1 : (FCS_BYTES[flags >> 6] ?? 0));
  if (dictionary.some((byte) => byte !== 0))
    throw new MinirtError('image.unsupported', 'inflate: zstd with a dictionary');
  const wanted = isSingle ? contentSize(size) : windowSize(window.readUInt8());
  if (wanted > LARGEST_WINDOW)
    throw new MinirtError('image.unsupported', `inflate: zstd with a window of ${wanted} bytes`, {
      hint: `windows up to ${LARGEST_WINDOW} bytes are supported: compress without --long and --ultra`,
    });
  return { bytes: Buffer.concat([first, window, dictionary, size]), hasChecksum: (flags & 4) !== 0 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(bytes: Buffer): number {
  if (bytes.length === 8) return Number(bytes.readBigUInt64LE());
  return bytes.readUIntLE(0, bytes.length) + (bytes.length === 2 ? 256 : 0);
}

/** Takes a stream apart by numbers of bytes. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) if (!(await this.#more())) return true;
    return false;
  }

  /** @throws MinirtError image.invalid when there are not as many */
  async take(count: number): Promise<Buffer> {
    while (this.#rest.length < count) if (!(await this.#more())) throw invalid('unexpected end of data');
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    return true;
  }
}

function invalid(why: string, cause?: unknown): MinirtError {
  return new MinirtError('image.invalid', `inflate: zstd: ${why}`, cause === undefined ? {} : { cause });
}
