import { describe, expect, test } from 'vitest';
import { Meter, NO_LIMITS } from '../../../src/image/limits.ts';

const MIB = 2 ** 20;

async function pass(meter: Meter, mib: number, packed: number): Promise<number> {
  const chunk = Buffer.alloc(MIB);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < mib; i++) yield chunk;
  }
  let size = 0;
  for await (const one of meter.count(chunks(), packed)) size += one.length;
  return size;
}

describe('limits of an image', () => {
  test.each([
    ['files', 'more than 3 files', '--max-files', { entries: 3 }],
    ['bytes of all layers', 'more than 3145728 bytes', '--max-size', { bytes: 3 * MIB }],
    ['what one layer unfolds to', 'more than 2 times', '--max-ratio', { ratio: 2 }],
  ])('%s', async (_what, message, flag, limit) => {
    const meter = new Meter({ ...NO_LIMITS, ...limit });
    const use = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) meter.countEntry();
      await pass(meter, 3, 4 * MIB);
    };
    await use();
    const more = async (): Promise<void> => {
      await use();
      await pass(meter, 1030, 500 * MIB);
    };
    await expect(more()).rejects.toMatchObject({
      code: 'image.too-large',
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining(flag) as string,
    });
  });

  test('a small layer may be mostly zeros', async () => {
    expect(await pass(new Meter({ ...NO_LIMITS, ratio: 2 }), 1000, 1000)).toBe(1000 * MIB);
  });
});
