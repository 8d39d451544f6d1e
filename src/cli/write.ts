import { once } from 'node:events';

/** A sink that waits while the reader of `stream` is slow, so that memory stays bounded. */
export function writeTo(stream: NodeJS.WritableStream): (bytes: Buffer) => Promise<void> {
  return async (bytes) => {
    if (bytes.length > 0 && !stream.write(bytes)) await once(stream, 'drain');
  };
}
