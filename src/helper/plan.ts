import { MinirtError } from '../base/errors.ts';

/** One operation of a launch plan: a name and its arguments, see docs/helper-protocol.md. */
export type Op = readonly [string, ...string[]];

/** The bytes of a plan as the helper reads it. A NUL in a word is an error: it would become another word. */
export function encodePlan(ops: readonly Op[]): Buffer {
  return encodeWords(['minirt-plan 1', ...ops.flat(), 'end']);
}

/** NUL-terminated words. */
export function encodeWords(words: readonly string[]): Buffer {
  const bad = words.find((word) => word.includes('\0'));
  if (bad !== undefined) {
    throw new MinirtError('internal', `encode plan: ${JSON.stringify(bad)}: a word may not contain NUL`);
  }
  return Buffer.from(words.map((word) => `${word}\0`).join(''));
}

/** A request of the control socket: length and words. */
export function encodeFrame(words: readonly string[]): Buffer {
  const body = encodeWords(words);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  return Buffer.concat([size, body]);
}
