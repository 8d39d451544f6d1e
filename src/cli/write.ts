import { once } from 'node:events';
import { isErrno } from '../base/errors.ts';

/**
 * A sink that waits while the reader of `stream` is slow, so that memory stays bounded. When nobody reads any more what
 * is left is dropped: main.ts takes that for an interrupt, and ending is its business.
 */
export function writeTo(stream: NodeJS.WriteStream): (bytes: Buffer) => Promise<void> {
  return async (bytes) => {
    if (bytes.length === 0 || stream.destroyed || stream.write(bytes)) return;
    try {
      await once(stream, 'drain');
    } catch (error) {
      if (!isErrno(error, 'EPIPE')) throw error;
    }
  };
}
