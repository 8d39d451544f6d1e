import { mkdir, open, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { encodePlan, type Op } from './plan.ts';
import { runRole } from './process.ts';

/** Files that keep a pod's namespaces alive; all in one folder, whose parent holds those of all pods. */
export interface SandboxFiles {
  readonly net: string;
  readonly ipc: string;
  readonly uts: string;
  /** Owns the others of a pod with users of its own. */
  readonly user?: string;
  /** Of a pod whose containers see each other's processes; kept by its reaper. */
  readonly pid?: string;
}

export interface SandboxOptions {
  /** Needs a uts namespace. */
  readonly hostname?: string;
  /** One kept file for each kind that is to be new. */
  readonly namespaces: Partial<SandboxFiles>;
  /** Ids of the host for a new user namespace: `first` is its root. */
  readonly users?: { readonly first: number; readonly count: number };
  /** Namespaced sysctls, set before anything runs. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/**
 * Makes new net, ipc and uts namespaces with `lo` up, and keeps each as a file. The folder above the pod's becomes a
 * private mount point first, so that the nsfs mounts are never copied into other namespaces. Undone when it fails.
 * @throws MinirtError helper.failed
 */
export async function makeSandbox(options: SandboxOptions, signal: AbortSignal): Promise<void> {
  const { hostname, namespaces, users, sysctls = {} } = options;
  const kinds = Object.entries<string>(namespaces);
  try {
    for (const path of Object.values<string>(namespaces)) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await (await open(path, 'a', 0o600)).close();
    }
    const ops: Op[] = [
      ...privateParents(namespaces).map((dir): Op => ['private-mount', dir]),
      ...(users === undefined ? [] : [['users', String(users.first), String(users.count)] as const]),
      ...(hostname === undefined ? [] : [['hostname', hostname] as const]),
      ...Object.entries(sysctls).map(([name, value]): Op => ['sysctl', name, value]),
      ...kinds.map(([kind, path]): Op => ['bind-ns', kind, path]),
    ];
    await runRole('sandbox', { plan: encodePlan(ops), signal });
  } catch (error) {
    await removeSandbox({ namespaces }).catch(() => {});
    throw error;
  }
}

/** Lets the namespaces go and removes their files and folder; what is gone already is no error. */
export async function removeSandbox(options: Pick<SandboxOptions, 'namespaces'>): Promise<void> {
  const paths = Object.values<string>(options.namespaces);
  await runRole('sandbox', { plan: encodePlan(paths.map((path): Op => ['unbind', path])) });
  for (const path of paths) await rm(path, { force: true });
  for (const dir of new Set(paths.map((path) => dirname(path)))) await removeIfEmpty(dir);
}

export interface TmpfsOptions {
  /** Of huge pages instead of ordinary ones. */
  readonly type?: 'hugetlbfs';
  /** Of its root. */
  readonly mode: number;
  /** As mount(8) takes them: `size=65536,noswap`. */
  readonly options: string;
}

/** Mounts a tmpfs on a folder below `shared`, which becomes a private mount point first. Again is no error. */
export async function mountTmpfs(
  shared: string,
  folder: string,
  { type, mode, options }: TmpfsOptions,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const ops: Op[] = [
    ['private-mount', shared],
    [type ?? 'tmpfs', folder, mode.toString(8), options],
  ];
  await runRole('sandbox', { plan: encodePlan(ops), signal });
}

export interface Owning {
  readonly group: number;
  /** Whether the group may not write. */
  readonly readOnly: boolean;
  /** Leaves alone what is in a folder that has the right group and mode itself. */
  readonly onMismatch: boolean;
}

/** Gives a folder with all that is in it to a group; no link is followed. */
export async function ownFolder(folder: string, how: Owning, signal: AbortSignal): Promise<void> {
  const { group, readOnly, onMismatch } = how;
  const op: Op = ['own', folder, String(group), readOnly ? 'ro' : 'rw', onMismatch ? 'mismatch' : 'always'];
  await runRole('sandbox', { plan: encodePlan([op]), signal });
}

/** Unmounts what is mounted in a folder and removes that; a folder that is not there is no error. */
export async function unmountFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  });
  if (names.length === 0) return removeIfEmpty(folder);
  await runRole('sandbox', { plan: encodePlan(names.map((name): Op => ['unbind', join(folder, name)])) });
  for (const name of names) await rmdir(join(folder, name));
  await rmdir(folder);
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTEMPTY')) throw error;
  });
}

/** Unmounts what is mounted on a path; what is not is no error. */
export async function unmount(path: string): Promise<void> {
  await runRole('sandbox', { plan: encodePlan([['unbind', path]]) });
}

function privateParents(namespaces: Partial<SandboxFiles>): readonly string[] {
  return [...new Set(Object.values<string>(namespaces).map((path) => dirname(dirname(path))))];
}
