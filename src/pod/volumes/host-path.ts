import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { MinirtError, isErrno } from '../../base/errors.ts';
import type { HostPathType } from '../../manifest/volume.ts';
import type { VolumeKind } from './kind.ts';

/** What each type asks for, and what the kubelet calls it (pkg/volume/hostpath: checkTypeInternal). */
const wanted: Readonly<Record<Exclude<HostPathType, ''>, readonly [string, (found: Stats) => boolean]>> = {
  DirectoryOrCreate: ['directory', (found) => found.isDirectory()],
  Directory: ['directory', (found) => found.isDirectory()],
  FileOrCreate: ['file', (found) => found.isFile()],
  File: ['file', (found) => found.isFile()],
  Socket: ['socket file', (found) => found.isSocket()],
  CharDevice: ['character device', (found) => found.isCharacterDevice()],
  BlockDevice: ['block device', (found) => found.isBlockDevice()],
};

/** A place of the host itself, which nobody removes. */
export const hostPath: VolumeKind<'hostPath'> = {
  async prepare({ path, type }) {
    if (type === '') return;
    const found = await look(path);
    if (found === undefined && type === 'DirectoryOrCreate') return void (await makeFolder(path));
    if (found === undefined && type === 'FileOrCreate') return (await open(path, 'a', 0o644)).close();
    const [title, fits] = wanted[type];
    if (found === undefined || !fits(found)) {
      throw new MinirtError('volume.failed', `hostPath type check failed: ${path} is not a ${title}`);
    }
  },

  /** What nothing is said about, and is not there, becomes a folder (containerd's WithMounts). */
  async source({ path, type }) {
    if (type === '' && (await look(path)) === undefined) await makeFolder(path);
    return path;
  },
};

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
}

/** Links are followed, as the kernel does when it mounts. */
async function look(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
