import { describe, expect, test } from 'vitest';
import { isZstd, unzstd } from '../../../src/image/zstd.ts';

/** `minirt ` 200 times, as zstd 1.5.4 packs it, with its checksum. */
const PACKED = Buffer.from('KLUv/QRYdQAAOG1pbmlydCABAG7pL0YgavNM', 'base64');
const TEXT = 'minirt '.repeat(200);

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const raw = (text: string, isLast = true): Buffer => {
  const head = Buffer.alloc(3);
  head.writeUIntLE((text.length << 3) | Number(isLast), 0, 3);
  return Buffer.concat([head, Buffer.from(text)]);
};
const repeated = (byte: number, count: number, isLast = true): Buffer => {
  const block = Buffer.alloc(4, byte);
  block.writeUIntLE((count << 3) | 2 | Number(isLast), 0, 3);
  return block;
};
/** @param window exponent of its size, from 10 */
const frame = (blocks: readonly Buffer[], window = 20): Buffer =>
  Buffer.concat([MAGIC, Buffer.from([0, (window - 10) << 3]), ...blocks]);
const skippable = (size: number): Buffer => {
  const head = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, Buffer.alloc(size, 7)]);
};

async function* inSteps(bytes: Buffer, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function read(bytes: Buffer, step = 1 << 16): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of unzstd(inSteps(bytes, step))) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('zstd', () => {
  test.each([1, 7, 1 << 16])('is inflated however it comes: %i bytes at a time', async (step) => {
    const all = Buffer.concat([skippable(3), PACKED, skippable(200_000), PACKED, frame([raw('x', false), raw('y')])]);
    expect(await read(all, step)).toBe(`${TEXT}${TEXT}xy`);
  });

  test('nothing is nothing, and an empty frame too', async () => {
    expect(await read(Buffer.alloc(0))).toBe('');
    expect(await read(frame([raw('')]))).toBe('');
  });

  test('is known by its first bytes', () => {
    expect(isZstd(PACKED)).toBe(true);
    expect(isZstd(MAGIC.subarray(0, 3))).toBe(false);
    expect(isZstd(Buffer.from('not it'))).toBe(false);
  });

  test('a bomb comes in parts of 128 KiB, not at once', async () => {
    const bomb = frame([...Array.from({ length: 99 }, () => repeated(0, 128 * 1024, false)), repeated(0, 1)]);
    const sizes: number[] = [];
    for await (const part of unzstd(inSteps(bomb, bomb.length))) sizes.push(part.length);
    expect(Math.max(...sizes)).toBe(128 * 1024);
    expect(sizes.reduce((sum, one) => sum + one)).toBe(99 * 128 * 1024 + 1);
  });

  test.each([
    ['is cut off', PACKED.subarray(0, PACKED.length - 6), 'image.invalid', 'unexpected end'],
    ['is followed by something else', Buffer.concat([PACKED, Buffer.from('junk')]), 'image.invalid', 'not a frame'],
    ['has a block over 128 KiB', frame([repeated(0, 128 * 1024 + 1)]), 'image.invalid', 'cannot be'],
    ['has a block of no known type', frame([Buffer.from([7, 0, 0])]), 'image.invalid', 'cannot be'],
    ['has a packed block that is garbage', frame([Buffer.from([0x25, 0, 0, 255, 255, 255, 255])]), 'image.invalid', ''],
    ['wants a window of 64 MiB', frame([raw('x')], 26), 'image.unsupported', '67108864'],
    [
      'wants 4 GiB in one piece',
      Buffer.concat([MAGIC, Buffer.from([0xe0, 0, 0, 0, 0, 1, 0, 0, 0]), raw('x')]),
      'image.unsupported',
      '4294967296',
    ],
    [
      'needs a dictionary',
      Buffer.concat([MAGIC, Buffer.from([1, 80, 9]), raw('x')]),
      'image.unsupported',
      'dictionary',
    ],
  ])('is refused when it %s', async (_what, bytes, code, text) => {
    await expect(read(bytes)).rejects.toMatchObject({ code, message: expect.stringContaining(text) as string });
  });
});
