import { randomUUID } from 'node:crypto';
import { linkSync, rmSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { FileLock } from '../helper/flock.ts';
import { removeTree } from '../helper/fsops.ts';
import { podFromObject } from '../manifest/parse.ts';
import type { Pod } from '../manifest/pod.ts';
import { encodeRecord, newRecord } from '../pod/record.ts';
import { type PodView, viewPod } from '../pod/view.ts';
import { privateFolder, writeAtomically } from '../state/files.ts';
import { type Roots, indexDir, podPaths } from '../state/paths.ts';
import { bootId } from '../sys/host.ts';
import { archivePod } from './archive.ts';

/** Makes the folders of a `--state`. */
export function prepareState(roots: Roots): void {
  for (const folder of ['', 'pods', 's', 'index', 'm']) privateFolder(join(roots.state, folder));
  privateFolder(roots.root);
}

/** Gives a pod a uid, a folder and its name; from here on an owner can take it. MinirtError pod.exists when the name is taken. */
export async function registerPod(roots: Roots, given: Pod, options: { readonly name?: string }): Promise<PodView> {
  const pod = options.name === undefined ? given : renamed(given, options.name);
  const uid = randomUUID();
  const paths = podPaths(roots, uid);
  prepareState(roots);
  privateFolder(paths.dir);
  const record = newRecord(pod, { uid, bootId: bootId(), createdAt: new Date().toISOString() });
  writeAtomically(paths.manifest, JSON.stringify(pod.object));
  writeAtomically(paths.state, encodeRecord(record));
  try {
    claimName(roots, pod, uid);
  } catch (error) {
    rmSync(paths.dir, { recursive: true, force: true });
    throw error;
  }
  return viewPod(roots, uid);
}

/** Forgets an ended pod: its name, its folder; what it went through stays readable with `--deleted`. */
export async function removePod(roots: Roots, view: PodView): Promise<void> {
  const lock = await FileLock.tryAcquire(view.paths.lock);
  if (lock === undefined) {
    throw new MinirtError('state.busy', `remove pod: ${view.name}: it still has an owner`, {
      hint: `end it first: minirt delete pod ${view.name}`,
    });
  }
  try {
    await dropPod(roots, view);
  } finally {
    await lock.release();
  }
}

/** {@link removePod} for the one who owns the pod. */
export async function dropPod(roots: Roots, view: PodView): Promise<void> {
  await archivePod(roots, view);
  // An owner may have died right here: by now the name may be another pod's.
  if (await isNamed(roots, view)) await rm(join(indexDir(roots, view.namespace), view.name), { force: true });
  await rm(view.paths.dir, { recursive: true, force: true });
  await removeTree(view.paths.bulk, new AbortController().signal);
}

/** Whether the pod's name is its own: not before it was registered, and not after it was dropped. */
export async function isNamed(roots: Roots, view: Pick<PodView, 'uid' | 'namespace' | 'name'>): Promise<boolean> {
  try {
    return (await readFile(join(indexDir(roots, view.namespace), view.name), 'utf8')).trim() === view.uid;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** A hard link cannot replace a name: two pods of one name are never both accepted. */
function claimName(roots: Roots, pod: Pod, uid: string): void {
  const folder = indexDir(roots, pod.namespace);
  const draft = join(podPaths(roots, uid).dir, 'name');
  privateFolder(folder);
  writeAtomically(draft, `${uid}\n`);
  try {
    linkSync(draft, join(folder, pod.name));
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw new MinirtError('io', `register pod: ${pod.name}: ${messageOf(error)}`);
    throw new MinirtError('pod.exists', `pods "${pod.name}" already exists`, {
      hint: `delete it first (minirt delete pod ${pod.name}), or give this one another name with --name`,
    });
  }
}

function renamed(pod: Pod, name: string): Pod {
  return podFromObject({ ...pod.object, metadata: { ...pod.object.metadata, name } });
}
