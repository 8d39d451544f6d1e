import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MinirtError, isErrno } from '../../base/errors.ts';
import type { VolumeKind } from './kind.ts';
import { giveToGroup } from './ownership.ts';
import { OPEN } from './place.ts';

/** A folder on this host that belongs to a claim, and stays as long as that does. */
export const persistentVolumeClaim: VolumeKind<'persistentVolumeClaim'> = {
  async prepare({ claim }, preparing) {
    const { pod, home, objects } = preparing;
    if ((await objects.claim(pod.namespace, claim)) === undefined) {
      // The scheduler's words: no kubelet ever sees such a pod.
      throw new MinirtError('volume.failed', `persistentvolumeclaim "${claim}" not found`);
    }
    const folder = join(home.claims, claim);
    await makeShared(folder);
    await giveToGroup(folder, preparing, { kept: true });
  },
  source: ({ claim }, { claims }) => Promise.resolve(join(claims, claim)),
  isReadOnly: ({ readOnly }) => readOnly,
};

/** Several pods may do so at once, and have it mounted already: what one of them made of it stays. */
async function makeShared(path: string): Promise<void> {
  const mode = 0o700;
  await mkdir(dirname(path), { recursive: true, mode });
  await mkdir(path, { mode }).catch((error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
  });
  const found = await stat(path);
  const untouched = found.uid === 0 && (found.mode & 0o7777) === mode && (await readdir(path)).length === 0;
  if (untouched) await chmod(path, OPEN);
}
