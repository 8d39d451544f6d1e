import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MinirtError, isErrno } from '../base/errors.ts';
import { podFromObject } from '../manifest/parse.ts';
import type { Pod, V1Pod } from '../manifest/pod.ts';
import { type PodPaths, type Roots, deletedDir, deletedPodPaths, indexDir, podPaths } from '../state/paths.ts';
import type { JournalEntry } from './journal-entry.ts';
import { type PodRecord, decodeRecord } from './record.ts';
import { podObject } from './status.ts';

/** A pod as its files tell it: for reading, by anyone, whether its owner lives or not. */
export interface PodView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly pod: Pod;
  readonly record: PodRecord;
  /** The v1 Pod with its status, as `kubectl get -o yaml` shows it. */
  readonly object: V1Pod;
  readonly paths: PodPaths;
}

/** The namespaces that have, or had, a pod. */
export async function listNamespaces(roots: Roots): Promise<readonly string[]> {
  return (await entries(indexDir(roots, '.'))).toSorted();
}

/** All pods of a namespace, or of all, by namespace and name. One that cannot be read is left out: `doctor` names it. */
export async function listPods(roots: Roots, namespace: string | undefined): Promise<readonly PodView[]> {
  const namespaces = namespace === undefined ? await listNamespaces(roots) : [namespace];
  const views: PodView[] = [];
  for (const one of namespaces) {
    for (const name of (await entries(indexDir(roots, one))).toSorted()) {
      const view = await tryView(roots, one, name).catch(() => undefined);
      if (view !== undefined) views.push(view);
    }
  }
  return views;
}

/** The pod of that name; MinirtError pod.not-found in kubectl's words. */
export async function findPod(roots: Roots, namespace: string, name: string): Promise<PodView> {
  const view = await tryView(roots, namespace, name);
  if (view === undefined) throw new MinirtError('pod.not-found', `pods "${name}" not found`);
  return view;
}

/** Pods that were deleted and whose account is still kept, by the time of their end. */
export async function listDeleted(roots: Roots, namespace: string | undefined): Promise<readonly PodView[]> {
  const views: PodView[] = [];
  for (const place of (await entries(deletedDir(roots))).toSorted()) {
    const view = await readView(deletedPodPaths(roots, place)).catch(() => undefined);
    if (view !== undefined && (namespace ?? view.namespace) === view.namespace) views.push(view);
  }
  return views;
}

/** The deleted pod of that name, of several the last one; MinirtError pod.not-found. */
export async function findDeleted(roots: Roots, namespace: string, name: string): Promise<PodView> {
  const view = (await listDeleted(roots, namespace)).findLast((one) => one.name === name);
  if (view !== undefined) return view;
  throw new MinirtError('pod.not-found', `pods "${name}" not found among those that were deleted`);
}

export async function viewPod(roots: Roots, uid: string): Promise<PodView> {
  return readView(podPaths(roots, uid));
}

async function readView(paths: PodPaths): Promise<PodView> {
  const [manifest, state] = await Promise.all([readFile(paths.manifest, 'utf8'), readFile(paths.state, 'utf8')]);
  const pod = podFromObject(JSON.parse(manifest));
  const record = decodeRecord(state);
  return {
    uid: record.uid,
    namespace: pod.namespace,
    name: pod.name,
    pod,
    record,
    object: podObject(pod, record),
    paths,
  };
}

/** Everything a pod's journal holds; an incomplete last line is left out. */
export async function readJournal(path: string): Promise<readonly JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalEntry);
}

async function tryView(roots: Roots, namespace: string, name: string): Promise<PodView | undefined> {
  try {
    const uid = (await readFile(join(indexDir(roots, namespace), name), 'utf8')).trim();
    return await viewPod(roots, uid);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
