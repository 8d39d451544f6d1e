import { Buffer } from 'node:buffer';
import { MinirtError } from '../../base/errors.ts';
import type { ConfigMap } from '../../manifest/objects.ts';
import type { ObjectProjection } from '../../manifest/volume.ts';
import { type Files, filesOfKeys } from './files.ts';

/**
 * The files of a ConfigMap.
 * @throws MinirtError volume.failed when it, or a key that is asked for, is not there and not optional
 */
export function configMapFiles(source: ObjectProjection, object: ConfigMap | undefined, defaultMode: number): Files {
  const { object: name, items, optional } = source;
  if (object === undefined && !optional) throw new MinirtError('volume.failed', `configmap "${name}" not found`);
  const { data = {}, binaryData = {} } = object ?? {};
  const texts = Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const);
  const blobs = Object.entries(binaryData).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const);
  return filesOfKeys(new Map([...texts, ...blobs]), {
    items,
    optional,
    defaultMode,
    missing: (key) => {
      throw new MinirtError('volume.failed', `configmap references non-existent config key: ${key}`);
    },
  });
}
