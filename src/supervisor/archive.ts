import { copyFile, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import type { PodView } from '../pod/view.ts';
import { type Roots, podLogs } from '../state/paths.ts';

/** How many deleted pods `--deleted` can still tell about. */
const MOST_KEPT = 20;
const KEPT_FILES = ['pod.json', 'state.json', 'journal.jsonl'] as const;

/** Keeps a deleted pod's account (`--deleted`), and lets the oldest go together with their logs. */
export async function archivePod(roots: Roots, view: PodView): Promise<void> {
  const shelf = join(roots.root, 'deleted');
  const place = join(shelf, `${String(Date.now()).padStart(15, '0')}-${view.uid}`);
  await mkdir(place, { recursive: true, mode: 0o700 });
  for (const file of KEPT_FILES) {
    await copyFile(join(view.paths.dir, file), join(place, file)).catch(ignoreMissing);
  }
  const kept = (await readdir(shelf)).toSorted();
  for (const name of kept.slice(0, Math.max(0, kept.length - MOST_KEPT))) await forget(roots, join(shelf, name));
}

async function forget(roots: Roots, place: string): Promise<void> {
  try {
    const pod = JSON.parse(await readFile(join(place, 'pod.json'), 'utf8')) as {
      metadata: { name: string; namespace: string };
    };
    const uid = place.slice(place.lastIndexOf('/') + 17);
    await rm(podLogs(roots, { ...pod.metadata, uid }), { recursive: true, force: true });
  } catch (error) {
    ignoreMissing(error);
  }
  await rm(place, { recursive: true, force: true });
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}
