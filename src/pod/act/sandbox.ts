import { randomBytes } from 'node:crypto';
import { existsSync, symlinkSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SECOND, abortReason } from '../../base/clock.ts';
import { isMinirtError, messageOf } from '../../base/errors.ts';
import { hasAppArmor } from '../../container/apparmor.ts';
import type { Namespaces } from '../../container/spec.ts';
import { withLock } from '../../helper/flock.ts';
import { removeTree } from '../../helper/fsops.ts';
import { startReaper } from '../../helper/reaper.ts';
import {
  type SandboxFiles,
  makeSandbox,
  mountTmpfs,
  ownFolder,
  removeSandbox,
  unmount,
  unmountFolder,
} from '../../helper/sandbox.ts';
import type { Pod } from '../../manifest/pod.ts';
import { normaliseSysctl } from '../../manifest/sysctl.ts';
import { detachPod, leaveNeighbours } from '../../network/index.ts';
import { privateFolder, writeAtomically } from '../../state/files.ts';
import { type PodPaths, type Roots, claimsDir, podPaths } from '../../state/paths.ts';
import { isInMemory, memoryOptions } from '../../sys/memory.ts';
import { thisNode } from '../../sys/node.ts';
import type { EngineView } from '../engine.ts';
import { rejection } from '../admission.ts';
import { hostnameOf, onHost } from '../hostname.ts';
import { prepareVolumes } from '../volumes/index.ts';
import type { Preparing, VolumeHome } from '../volumes/kind.ts';
import { type EtcFiles, writeEtc } from './etc.ts';
import type { PodHostPorts } from './host.ts';
import { introduce, networkIdentity, placeOnNetwork } from './network.ts';
import { unmetWishes } from './resources.ts';
import { claimIds, releaseIds } from './users.ts';

/** How long after a failed attempt the kubelet tries a pod's sandbox again. */
const RETRY_SECONDS = 10n;

/** As containerd 2 has it: anybody in a pod may listen on any port, and ping. */
const NETWORK_SYSCTLS = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
} as const;

export interface SharedFiles extends EtcFiles {
  readonly namespaces: Required<SandboxFiles>;
  /** /dev/shm of all containers. */
  readonly shm: string;
}

export function sandboxFiles(paths: PodPaths): SharedFiles {
  const kept = (kind: string): string => join(paths.namespaces, kind);
  return {
    namespaces: { net: kept('net'), ipc: kept('ipc'), uts: kept('uts'), pid: kept('pid'), user: kept('user') },
    shm: paths.shm,
    folder: paths.etc,
    hosts: join(paths.etc, 'hosts'),
    resolvConf: join(paths.etc, 'resolv.conf'),
    hostname: join(paths.etc, 'hostname'),
  };
}

/** Where a container of this pod is: in namespaces of the pod, or of the host. */
export function namespacesOf(pod: Pod, { namespaces: { pid, user, ...own } }: SharedFiles): Namespaces {
  return {
    ...own,
    ...(pod.ownUsers ? { user } : {}),
    ...(onHost(pod) ? { net: 'host', uts: 'host' } : {}),
    ...(pod.hostIpc ? { ipc: 'host' } : {}),
    ...(pod.processes === 'own' ? {} : { pid: pod.processes === 'host' ? 'host' : pid }),
  };
}

/** Makes what the containers of a pod share: namespaces, an address, the files that say so. */
export async function createSandbox(ports: PodHostPorts, engine: EngineView): Promise<void> {
  const paths = podPaths(ports.roots, engine.record.uid);
  const why = rejection(engine.pod, { appArmor: hasAppArmor() });
  if (why !== undefined) return engine.emit({ kind: 'reject', why });
  try {
    const files = sandboxFiles(paths);
    claimBulk(ports.roots, engine.record.uid);
    const making = preparing(ports, engine);
    await makeExecs(ports.roots, paths, making);
    await making.mountTmpfs(paths.etc, { mode: 0o700, options: memoryOptions(ETC_BYTES) });
    const failures = await prepareVolumes(making);
    if (ports.signal.aborted) throw abortReason(ports.signal);
    if (failures.length > 0) return engine.emit({ kind: 'volumesFailed', failures });
    // A half-made one of an owner that died is swept first.
    await sweep(ports, engine, paths);
    const name = hostnameOf(engine.pod);
    const { net, uts, ipc, user } = files.namespaces;
    const users = engine.pod.ownUsers ? { user } : {};
    const shared = { ...(engine.pod.hostIpc ? {} : { ipc }), ...users };
    const sysctls = Object.fromEntries(
      engine.pod.security.sysctls.map((one) => [normaliseSysctl(one.name), one.value]),
    );
    const ids = engine.pod.ownUsers ? { users: claimIds(ports.roots.state, engine.record.uid) } : {};
    const own = onHost(engine.pod)
      ? { namespaces: shared, sysctls }
      : { ...ids, namespaces: { ...shared, net, uts }, hostname: name, sysctls: { ...NETWORK_SYSCTLS, ...sysctls } };
    await withLock(mountLock(ports), ports.signal, () => makeSandbox(own, ports.signal));
    if (!engine.pod.hostIpc) await making.mountTmpfs(paths.shm, { mode: 0o1777, options: `size=${SHM_BYTES}` });
    if (engine.pod.processes === 'shared') await shareProcesses(ports, engine, paths);
    const host = thisNode(ports.roots.root);
    const { name: node, ip: hostIp } = host;
    const ip = await placeOnNetwork(ports, engine, { netns: net, hostIp });
    await writeEtc(engine, files, { hostname: name, ip });
    await introduce(ports, engine, { ip, hosts: files.hosts });
    for (const text of unmetWishes(engine.pod, ports.cgroups, host)) engine.note({ kind: 'note', text });
    engine.emit({ kind: 'sandboxReady', ip, host: { name: node, ip: hostIp } });
  } catch (error) {
    ports.log.debug({ error: messageOf(error) }, 'sandbox failed');
    await sweep(ports, engine, paths).catch(() => undefined);
    const retryAt = ports.clock.now() + RETRY_SECONDS * SECOND;
    const hint = isMinirtError(error) && error.hint !== undefined ? ` (${error.hint})` : '';
    engine.emit({ kind: 'sandboxFailed', message: `${messageOf(error)}${hint}`, retryAt });
  }
}

/** Where a pod keeps what its volumes need. */
export function volumeHome(roots: Roots, { pod, record }: Pick<EngineView, 'pod' | 'record'>): VolumeHome {
  return { ...podPaths(roots, record.uid), claims: claimsDir(roots, pod.namespace) };
}

/** What the volumes of a pod are made from. */
export function preparing(ports: PodHostPorts, { pod, record }: EngineView): Preparing {
  const { objects, roots, signal } = ports;
  return {
    pod,
    uid: record.uid,
    home: volumeHome(roots, { pod, record }),
    node: thisNode(roots.root),
    objects,
    mountTmpfs: (folder, how) =>
      withLock(mountLock(ports), signal, () => mountTmpfs(join(roots.state, 'm'), folder, how, signal)),
    own: (folder, how) => ownFolder(folder, how, signal),
  };
}

/** As containerd has it. */
const SHM_BYTES = 64 << 20;

/** Of all files together that are made for containers of a pod, which they may write to (CVE-2020-8557). */
const ETC_BYTES = 4 << 20;

/** Values of Secrets are in what execs start from and print: a tmpfs of its own where the state folder is on a disk. */
async function makeExecs({ state }: Roots, { execs }: PodPaths, { mountTmpfs: mount }: Preparing): Promise<void> {
  if (!isInMemory(state)) return mount(execs, { mode: 0o700, options: memoryOptions('50%') });
  privateFolder(execs);
}

async function removeExecs({ execs }: PodPaths, signal: AbortSignal): Promise<void> {
  if (!existsSync(execs)) return;
  await unmount(execs);
  await removeTree(execs, signal);
}

/** Several states may share a root: a pod's data there says whose it is, for `doctor`. */
function claimBulk(roots: Roots, uid: string): void {
  const { bulk } = podPaths(roots, uid);
  privateFolder(bulk);
  const link = join(bulk, 'state');
  if (!existsSync(link)) symlinkSync(resolve(roots.state), link);
}

/** Releases all that a pod holds on the host but its files; tries again until it is done. */
export async function removeSandboxOf(ports: PodHostPorts, engine: EngineView): Promise<void> {
  const paths = podPaths(ports.roots, engine.record.uid);
  for (let told = ''; ;) {
    try {
      await removeExecs(paths, ports.signal);
      await unmountFolder(paths.memory);
      await sweep(ports, engine, paths);
      await ports.cgroups.removePod(engine.record.uid);
      await removeTree(paths.bulk, ports.signal);
      return engine.emit({ kind: 'sandboxRemoved' });
    } catch (error) {
      const message = `error killing pod: ${messageOf(error)}`;
      if (message !== told) engine.note({ kind: 'event', type: 'Warning', reason: 'FailedKillPod', message });
      told = message;
      await new Promise<void>((next) => ports.clock.at(ports.clock.now() + SECOND, next));
      if (ports.signal.aborted) throw error;
    }
  }
}

/** The process that keeps the pod's pid namespace is in a cgroup of its own, and ends with that. */
async function shareProcesses(ports: PodHostPorts, { record }: EngineView, paths: PodPaths): Promise<void> {
  const { path, cgroup1, cgroup2 } = await ports.cgroups.createContainer(record.uid, randomBytes(32).toString('hex'));
  writeAtomically(paths.reaper, path);
  const cgroups = [...(cgroup2 === undefined ? [] : [cgroup2]), ...cgroup1];
  const { pid: file } = sandboxFiles(paths).namespaces;
  await withLock(mountLock(ports), ports.signal, () => startReaper({ file, cgroups }, ports.signal));
}

async function endReaper({ cgroups }: PodHostPorts, { reaper }: PodPaths): Promise<void> {
  if (!existsSync(reaper)) return;
  await cgroups.fromPath(await readFile(reaper, 'utf8')).remove();
  await rm(reaper, { force: true });
}

async function sweep(ports: PodHostPorts, engine: EngineView, paths: PodPaths): Promise<void> {
  await endReaper(ports, paths);
  await leaveNeighbours(ports.roots.state, engine.record.uid, ports.signal);
  await detachPod(networkIdentity(ports, engine), ports.signal);
  await withLock(mountLock(ports), ports.signal, async () => {
    await removeSandbox({ namespaces: sandboxFiles(paths).namespaces });
    // The last pod takes the mount point with it, so that nothing of an idle minirt is in the host's table.
    const shared = dirname(paths.namespaces);
    if ((await readdir(shared)).length === 0) await unmount(shared);
  });
  releaseIds(ports.roots.state, engine.record.uid);
}

/** Held while the mount point of all pods' namespaces may come or go. */
function mountLock(ports: PodHostPorts): string {
  return join(ports.roots.state, 'm.lock');
}
