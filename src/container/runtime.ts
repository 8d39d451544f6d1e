import { chmod, chown, mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { Teardown } from '../base/teardown.ts';
import { removeTree } from '../helper/fsops.ts';
import { checkSocketPath, connectMonitor, spawnMonitor, type MonitorClient } from '../helper/monitor.ts';
import { encodePlan } from '../helper/plan.ts';
import { launchPlan } from './launch.ts';
import type { ContainerSpec } from './spec.ts';

/** Where the files of one run of a container are. */
export interface ContainerPlace {
  readonly dir: string;
  readonly record: string;
  readonly socket: string;
  readonly upper: string;
  readonly work: string;
  readonly execs: string;
}

/** Existing cgroup directories, and which devices may be opened (`all`: a privileged container). */
export interface ContainerCgroup {
  readonly cgroup2?: string | undefined;
  readonly cgroup1: readonly string[];
  /** v1 hierarchies to be seen in /sys/fs/cgroup, by the controllers in each. */
  readonly shown?: readonly (readonly string[])[];
  readonly devices: 'default' | 'all';
}

/**
 * Sets a container up to the point before execve, under a monitor that outlives this process; `start` on the answer
 * lets it run. On failure everything that was made is undone.
 * @throws MinirtError helper.failed with details {stage, errno, what}; state.path-too-long
 */
export async function createContainer(
  spec: ContainerSpec,
  place: ContainerPlace,
  cgroup: ContainerCgroup,
  signal: AbortSignal,
): Promise<MonitorClient> {
  checkSocketPath(place.socket);
  const undo = new Teardown();
  undo.add('remove files', async () => {
    await removeContainer(place);
    await rm(place.execs, { recursive: true, force: true });
  });
  try {
    await makeFolders(spec, place);
    await mkdir(dirname(spec.log), { recursive: true, mode: 0o755 });
    await spawnMonitor(encodePlan(await launchPlan(spec, place, cgroup)), signal);
    const address = { socket: place.socket, pod: spec.owner, container: spec.id };
    // Not cancellable: from here on there is a container, and only this connection can end it.
    const client = await connectMonitor(address, new AbortController().signal);
    undo.move();
    return client;
  } catch (error) {
    await undo.run().catch(() => {});
    throw error;
  }
}

/** Removes the files of a run whose monitor is gone. The log stays, and what its execs left: somebody may yet read it. */
export async function removeContainer(place: ContainerPlace): Promise<void> {
  const { signal } = new AbortController();
  for (const path of [place.upper, place.work]) await removeTree(path, signal);
  for (const path of [place.socket, place.dir]) await rm(path, { recursive: true, force: true });
  await rmdir(dirname(place.upper)).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTEMPTY')) throw error;
  });
}

async function makeFolders({ rootfs, process: { users } }: ContainerSpec, place: ContainerPlace): Promise<void> {
  for (const dir of [place.dir, place.execs, place.work, dirname(place.upper), dirname(place.socket)]) {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  }
  // The upper directory's attributes are those of the container's "/": they come from the image.
  const top = await stat(join(rootfs.store, rootfs.layers[0] ?? ''));
  await mkdir(place.upper, { mode: 0o700 });
  const first = users?.first ?? 0;
  await chown(place.upper, first + top.uid, first + top.gid);
  await chmod(place.upper, top.mode & 0o7777);
}
