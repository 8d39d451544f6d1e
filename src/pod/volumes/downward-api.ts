import { Buffer } from 'node:buffer';
import { MinirtError } from '../../base/errors.ts';
import type { DownwardFile, DownwardProjection } from '../../manifest/volume.ts';
import { podField, resourceValue } from '../env.ts';
import type { Files } from './files.ts';
import type { Preparing } from './kind.ts';

/** What a pod is told about itself, a file each (pkg/volume/downwardapi: CollectData). */
export function downwardFiles({ items }: DownwardProjection, about: Preparing, defaultMode: number): Files {
  return new Map(
    items.map(({ path, mode = defaultMode, from }) => [path, { bytes: Buffer.from(textOf(from, about)), mode }]),
  );
}

function textOf(from: DownwardFile['from'], { pod, uid, node }: Preparing): string {
  if (from.kind === 'field') return podField(from.path, { pod, uid, ip: undefined, node });
  const container = pod.containers.find(({ name }) => name === from.container);
  if (container === undefined) throw new MinirtError('volume.failed', `container ${from.container} not found`);
  return resourceValue(container, from, node);
}
