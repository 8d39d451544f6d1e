import { basename, dirname } from 'node:path';
import { isMinirtError, MinirtError } from '../../base/errors.ts';
import { peekImage } from '../../helper/peek.ts';
import type { Container, EnvSource, Pod } from '../../manifest/pod.ts';
import { fileOf } from '../env.ts';
import { emptyDirFolder } from './empty-dir.ts';
import type { VolumeHome } from './kind.ts';

/** Bytes of a file of variables; Linux passes no more than this to a program at once. */
const LIMIT = 128 * 1024;

/**
 * The files of volumes that a container's variables come from. Containers made them, and links in them: the helper
 * reads them beneath their volume.
 * @throws MinirtError config.missing for what is no regular file of a sensible size
 */
export async function filesOfEnv(
  { env }: Container,
  { volumes }: Pod,
  home: VolumeHome,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map(
    env.flatMap((entry) =>
      'from' in entry && entry.from.kind === 'fileKey' ? [[fileOf(entry.from), entry.from] as const] : [],
    ),
  );
  const files = new Map<string, string>();
  for (const [name, source] of wanted) {
    const text = await read(source, volumes, home, signal);
    if (text !== undefined) files.set(name, text);
  }
  return files;
}

async function read(
  wanted: Extract<EnvSource, { kind: 'fileKey' }>,
  volumes: Pod['volumes'],
  home: VolumeHome,
  signal: AbortSignal,
): Promise<string | undefined> {
  const volume = volumes.find(({ name }) => name === wanted.volume);
  if (volume?.kind !== 'emptyDir') return undefined;
  const folder = emptyDirFolder(volume, home);
  const path = `/${wanted.path}`;
  try {
    // A folder is as good a root as an image of one layer.
    const root = { store: dirname(folder), layers: [basename(folder)] };
    return (await peekImage(root, [{ path, limit: LIMIT }], signal)).get(path)?.toString('utf8');
  } catch (error) {
    if (!isMinirtError(error, 'image.invalid')) throw error;
    const why = `couldn't read env file ${wanted.path} of volume ${wanted.volume}: no regular file of at most ${LIMIT} bytes`;
    throw new MinirtError('config.missing', why, { cause: error });
  }
}
