import { copyFile, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import type { PodView } from '../pod/view.ts';
import { type Roots, deletedDir, deletedPodPaths, podLogs } from '../state/paths.ts';

/** How many deleted pods `--deleted` can still tell about. */
const MOST_KEPT = 20;
interface Identity {
  readonly name: string;
  readonly namespace: string;
}

const KEPT_FILES = ['pod.json', 'state.json', 'journal.jsonl'] as const;

/** Keeps a deleted pod's account (`--deleted`), and lets the oldest go together with their logs. */
export async function archivePod(roots: Roots, view: PodView): Promise<void> {
  const shelf = deletedDir(roots);
  const place = `${String(Date.now()).padStart(15, '0')}-${view.uid}`;
  await mkdir(join(shelf, place), { recursive: true, mode: 0o700 });
  for (const file of KEPT_FILES) {
    await copyFile(join(view.paths.dir, file), join(shelf, place, file)).catch(ignoreMissing);
  }
  const kept = (await readdir(shelf)).toSorted();
  // An owner that died over removing this pod may have kept it before.
  const again = kept.filter((name) => name !== place && name.endsWith(view.uid));
  for (const name of again) await rm(join(shelf, name), { recursive: true, force: true });
  const others = kept.filter((name) => !again.includes(name));
  for (const name of others.slice(0, Math.max(0, others.length - MOST_KEPT))) await forget(roots, name);
}

/** Forgets what is kept of all deleted pods, logs too. @returns their names, as `namespace/name` */
export async function forgetDeleted(roots: Roots): Promise<readonly string[]> {
  const names: string[] = [];
  for (const place of (await readdir(deletedDir(roots)).catch(ignoreMissing)) ?? []) {
    const identity = await forget(roots, place);
    names.push(identity === undefined ? place : `${identity.namespace}/${identity.name}`);
  }
  return names;
}

async function forget(roots: Roots, place: string): Promise<Identity | undefined> {
  const { dir, manifest } = deletedPodPaths(roots, place);
  const identity = await readFile(manifest, 'utf8').then(identityOf, ignoreMissing);
  if (identity !== undefined) {
    const uid = place.slice(place.indexOf('-') + 1);
    await rm(podLogs(roots, { ...identity, uid }), { recursive: true, force: true });
  }
  await rm(dir, { recursive: true, force: true });
  return identity;
}

/** Undefined for a manifest that was only half written: that must not keep others from being deleted. */
function identityOf(text: string): Identity | undefined {
  try {
    return (JSON.parse(text) as { metadata: Identity }).metadata;
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
  return undefined;
}
