import { MinirtError } from '../base/errors.ts';
import type { MonitorAddress } from './monitor.ts';
import { type Op, encodePlan } from './plan.ts';
import { runRole } from './process.ts';

export interface PeekFile {
  /** Absolute path beneath the root. */
  readonly path: string;
  /** Bytes; a longer file is an error. */
  readonly limit: number;
}

export interface ImageRoot {
  readonly store: string;
  /** Relative to `store`, top first. */
  readonly layers: readonly string[];
}

const ENOENT = 2;
const ENOTDIR = 20;

/**
 * Reads small files of an image, beneath its root: no link of the image leads out. A missing one is undefined.
 * @throws MinirtError image.invalid for anything but a regular file within its limit
 */
export function peekImage(
  rootfs: ImageRoot,
  files: readonly PeekFile[],
  signal: AbortSignal,
): Promise<Map<string, Buffer | undefined>> {
  return peek(
    [
      ['store', rootfs.store],
      ['overlay', rootfs.layers.join(':'), '', '', ''],
    ],
    files,
    signal,
  );
}

/** The same in a running container. */
export function peekContainer(
  monitor: MonitorAddress,
  files: readonly PeekFile[],
  signal: AbortSignal,
): Promise<Map<string, Buffer | undefined>> {
  const where: Op[] = [
    ['socket', monitor.socket],
    ['pod', monitor.pod],
    ['container', monitor.container],
  ];
  return peek(where, files, signal);
}

async function peek(
  where: readonly Op[],
  files: readonly PeekFile[],
  signal: AbortSignal,
): Promise<Map<string, Buffer | undefined>> {
  const reads = files.map(({ path, limit }): Op => ['read', path, String(limit)]);
  const { stdout } = await runRole('peek', { plan: encodePlan([...where, ...reads]), signal });
  const found = new Map<string, Buffer | undefined>();
  for (let at = 0; at < stdout.length;) {
    const end = stdout.indexOf(0x0a, at);
    const answer = JSON.parse(stdout.toString('utf8', at, end)) as { path: string; size?: number; errno?: number };
    const size = answer.size ?? 0;
    found.set(answer.path, answer.errno === undefined ? stdout.subarray(end + 1, end + 1 + size) : missing(answer));
    at = end + 1 + size;
  }
  return found;
}

function missing({ path, errno = 0 }: { readonly path: string; readonly errno?: number }): undefined {
  if (errno === ENOENT || errno === ENOTDIR) return undefined;
  throw new MinirtError('image.invalid', `read ${path} of the image: it is no regular file of a sensible size`, {
    details: { path, errno },
  });
}
