import { Buffer } from 'node:buffer';
import { MinirtError } from '../../base/errors.ts';
import type { Secret } from '../../manifest/objects.ts';
import type { ObjectProjection } from '../../manifest/volume.ts';
import { type Files, filesOfKeys } from './files.ts';

/**
 * The files of a Secret.
 * @throws MinirtError volume.failed when it, or a key that is asked for, is not there and not optional
 */
export function secretFiles(source: ObjectProjection, object: Secret | undefined, defaultMode: number): Files {
  const { object: name, items, optional } = source;
  if (object === undefined && !optional) throw new MinirtError('volume.failed', `secret "${name}" not found`);
  const data = Object.entries(object?.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const);
  return filesOfKeys(new Map(data), {
    items,
    optional,
    defaultMode,
    missing: (key) => {
      throw new MinirtError('volume.failed', `references non-existent secret key: ${key}`);
    },
  });
}
