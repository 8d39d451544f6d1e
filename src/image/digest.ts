import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { MinirtError } from '../base/errors.ts';

/** Nothing but this ever becomes part of a path; other algorithms are refused, not guessed. */
const SHA256 = /^sha256:[a-f0-9]{64}$/;

export function isDigest(text: string): boolean {
  return SHA256.test(text);
}

/**
 * The hex part of a digest, safe as a file name.
 * @throws MinirtError image.invalid, image.unsupported for another algorithm
 */
export function hexOf(digest: unknown): string {
  if (typeof digest === 'string' && SHA256.test(digest)) return digest.slice('sha256:'.length);
  const shown = JSON.stringify(digest)?.slice(0, 100) ?? 'nothing';
  if (typeof digest === 'string' && /^sha512:[a-f0-9]{128}$/.test(digest)) {
    throw new MinirtError('image.unsupported', `read digest: ${shown}: only sha256 is supported`);
  }
  throw new MinirtError('image.invalid', `read digest: ${shown}: not sha256: and 64 hex digits`);
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** What passed through a stream. */
export interface Tally {
  digest: string;
  size: number;
}

/** Passes bytes on and fills the tally in when they end. */
export function tallying(tally: Tally): Transform {
  const hash = createHash('sha256');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      tally.size += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      tally.digest = `sha256:${hash.digest('hex')}`;
      done();
    },
  });
}

/** What a stream has to be. */
export interface Expected {
  readonly what: string;
  readonly digest: string;
  /** Unknown for what a layer inflates to. */
  readonly size: number | undefined;
}

/**
 * Passes bytes on, never one more than expected, and ends with an error unless they are the expected ones.
 * @throws MinirtError image.digest-mismatch while reading
 */
export async function* verified(bytes: AsyncIterable<Uint8Array>, expected: Expected): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  const refuse = (found: string): MinirtError =>
    new MinirtError('image.digest-mismatch', `verify ${expected.what}: ${expected.digest}: ${found}`);
  for await (const chunk of bytes) {
    size += chunk.length;
    if (expected.size !== undefined && size > expected.size) throw refuse(`longer than ${expected.size} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (expected.size !== undefined && size !== expected.size) throw refuse(`${size} bytes instead of ${expected.size}`);
  if (digest !== expected.digest) throw refuse(`the content is ${digest}`);
}
