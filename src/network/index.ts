import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MinirtError, messageOf } from '../base/errors.ts';
import { type FileLock, withLock } from '../helper/flock.ts';
import {
  type Cached,
  INTERFACE,
  type PodOnNetwork,
  attachedPods,
  attachmentOf,
  isNamespace,
  readCached,
} from './attachment.ts';
import {
  type Capabilities,
  type CniResult,
  type NetworkList,
  addNetwork,
  checkNetwork,
  deleteNetwork,
  requirePlugins,
} from './cni.ts';
import { dropUnusedBridge, forgetOtherBoot, prepareDefault } from './default-network.ts';
import { type PortMapping, dropUnusedChains, refuseTaken, withHostPorts } from './host-ports.ts';
import { writeJson } from './json-file.ts';
import { loadNetwork } from './named.ts';
import { type NetworkPaths, cacheFile, networkPaths } from './paths.ts';

export { type PodOnNetwork, attachedPods, hostDevices } from './attachment.ts';
export type { PortMapping } from './host-ports.ts';
export { becomeNeighbour, leaveNeighbours } from './neighbours.ts';

/** How long undoing a failed ADD may take: its caller may have been aborted, so it has a limit of its own. */
const UNDO_LIMIT_MS = 20_000;

export interface AttachOptions extends PodOnNetwork {
  /** A file that keeps the pod's network namespace. */
  readonly netns: string;
  /** A network of /etc/cni/net.d; undefined: the default one. */
  readonly network?: string | undefined;
  readonly ports?: readonly PortMapping[];
  readonly bandwidth?: Bandwidth | undefined;
}

/** Bits per second, and bits at once; the names are those of the capability `bandwidth`. */
export interface Bandwidth {
  readonly ingressRate?: number;
  readonly ingressBurst?: number;
  readonly egressRate?: number;
  readonly egressBurst?: number;
}

export interface PodAddress {
  readonly ip: string;
  readonly gateway: string;
  /** In the pod. */
  readonly interface: string;
  /** Why it cannot reach beyond the host; undefined: it can, for all that is known. */
  readonly confined: string | undefined;
}

/**
 * Gives the pod's network namespace an address. One that is attached already is detached first. On failure nothing stays
 * attached. Rejects with `network.no-plugin`, `network.failed`, or the signal's reason.
 */
export async function attachPod(options: AttachOptions, signal: AbortSignal): Promise<PodAddress> {
  const paths = networkPaths(options.state);
  return changing(paths, options.uid, signal, async (lock) => {
    // An owner that died in or after an ADD left its note; a second ADD would find the device and the address taken.
    if (attachedPods(options.state).includes(options.uid)) await detach(options, paths, lock, signal);
    const { ports = [] } = options;
    if (ports.length === 0) return attach(options, paths, lock, signal);
    return withHostPorts(signal, async () => {
      await refuseTaken(ports, options.state, signal);
      return attach(options, paths, lock, signal);
    });
  });
}

async function attach(
  options: AttachOptions,
  paths: NetworkPaths,
  lock: FileLock,
  signal: AbortSignal,
): Promise<PodAddress> {
  const { cached, confined } = await begin(options, paths, signal);
  try {
    const result = await addNetwork({ ...cached, signal, lock: lock.fd });
    writeJson(cacheFile(paths, options.uid), { ...cached, result } satisfies Cached);
    return { ...addressOf(result), confined };
  } catch (error) {
    try {
      await undo(options, paths, lock, AbortSignal.timeout(UNDO_LIMIT_MS));
    } catch (undoing) {
      const text = `${messageOf(error)}; undo: ${messageOf(undoing)}`;
      throw new MinirtError('network.failed', text, { cause: error });
    }
    throw error;
  }
}

/** Chooses the network and takes note of what is about to be done. */
async function begin(
  options: AttachOptions,
  paths: NetworkPaths,
  signal: AbortSignal,
): Promise<{ readonly cached: Cached; readonly confined: string | undefined }> {
  const { state, uid, network, netns } = options;
  return locked(paths, signal, async () => {
    try {
      await forgetOtherBoot(state, paths, signal);
      const { list, confined } =
        network === undefined
          ? await prepareDefault(state, paths, signal)
          : { list: await loadNetwork(network), confined: undefined };
      const capabilities = capabilitiesOf(options);
      const cached: Cached = {
        list: network === undefined ? onlyAskedFor(list, capabilities) : list,
        attachment: attachmentOf(options, netns),
        capabilities,
        pod: `${options.namespace}/${options.name}`,
      };
      requirePlugins(cached.list);
      refuseUnheard(cached);
      writeJson(cacheFile(paths, uid), cached);
      return { cached, confined };
    } catch (error) {
      await dropUnusedBridge(state, AbortSignal.timeout(UNDO_LIMIT_MS));
      throw error;
    }
  });
}

function capabilitiesOf({ ports = [], bandwidth }: AttachOptions): Capabilities {
  return {
    ...(ports.length === 0 ? {} : { portMappings: ports }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
  };
}

/** The default network without the plugins that would have nothing to do for this pod. */
function onlyAskedFor(list: NetworkList, capabilities: Capabilities): NetworkList {
  const plugins = list.plugins.filter(({ capabilities: declared }) => {
    return declared === undefined || Object.keys(declared).some((name) => name in capabilities);
  });
  return { ...list, plugins };
}

/** A wish that no plugin of the network could hear would be dropped in silence. */
function refuseUnheard({ list, capabilities }: Cached): void {
  for (const name of Object.keys(capabilities)) {
    if (list.plugins.some(({ capabilities: declared }) => declared?.[name] === true)) continue;
    const plugin = name === 'portMappings' ? 'portmap' : name;
    throw new MinirtError('network.failed', `add network ${list.name}: no plugin of it has the capability ${name}`, {
      hint: `add {"type": "${plugin}", "capabilities": {"${name}": true}} to its plugins`,
    });
  }
}

/**
 * Takes the pod off its network and gives its address back; the bridge of the default network goes with its last pod.
 * Does nothing when it was never attached or is detached already; works after a crash and when the namespace is gone.
 */
export async function detachPod(
  options: PodOnNetwork & { readonly netns?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const paths = networkPaths(options.state);
  await changing(paths, options.uid, signal, (lock) => detach(options, paths, lock, signal));
}

async function detach(
  options: PodOnNetwork & { readonly netns?: string | undefined },
  paths: NetworkPaths,
  lock: FileLock,
  signal: AbortSignal,
): Promise<void> {
  const cached = readCached(paths, options.uid);
  if (cached?.capabilities['portMappings'] === undefined) return undo(options, paths, lock, signal);
  return withHostPorts(signal, () => undo(options, paths, lock, signal));
}

/** With the lock on the host's ports where the pod has any. */
async function undo(
  options: PodOnNetwork & { readonly netns?: string | undefined },
  paths: NetworkPaths,
  lock: FileLock,
  signal: AbortSignal,
): Promise<void> {
  await locked(paths, signal, () => forgetOtherBoot(options.state, paths, signal));
  const cached = readCached(paths, options.uid);
  if (cached !== undefined) {
    const netns = options.netns ?? cached.attachment.netns;
    // Plugins fail on a file whose namespace is gone, where they accept that there is none (CNI spec 1.0: DEL).
    const attachment = { ...cached.attachment, netns: isNamespace(netns) ? netns : '' };
    await deleteNetwork({ ...cached, attachment, signal, lock: lock.fd }, cached.result);
    if (cached.capabilities['portMappings'] !== undefined) await dropUnusedChains(signal);
  }
  await locked(paths, signal, async () => {
    rmSync(cacheFile(paths, options.uid), { force: true });
    await dropUnusedBridge(options.state, signal);
  });
}

/** Asks the plugins whether the pod is still attached as its ADD left it; rejects with what they say when it is not. */
export async function checkPod(state: string, uid: string, signal: AbortSignal): Promise<void> {
  const paths = networkPaths(state);
  await changing(paths, uid, signal, async (lock) => {
    const cached = readCached(paths, uid);
    if (cached?.result === undefined) return;
    await checkNetwork({ ...cached, signal, lock: lock.fd }, cached.result);
  });
}

function addressOf(result: CniResult): Omit<PodAddress, 'confined'> {
  const [first] = result.ips ?? [];
  if (first === undefined) throw new MinirtError('network.failed', 'add network: the plugins gave no address');
  const device = result.interfaces?.[first.interface ?? -1]?.name;
  return { ip: first.address.replace(/\/.*/, ''), gateway: first.gateway ?? '', interface: device ?? INTERFACE };
}

/** Runs `work` while no other process changes this state folder's network. */
async function locked<T>(paths: NetworkPaths, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
  return withLock(paths.lock, signal, work);
}

/**
 * Runs `work` while nobody else changes the attachment of one pod. The lock is shared with the plugins: one that its
 * owner did not outlive goes on, and is waited for here before anything is done on top of it.
 */
async function changing<T>(
  paths: NetworkPaths,
  uid: string,
  signal: AbortSignal,
  work: (lock: FileLock) => Promise<T>,
): Promise<T> {
  mkdirSync(paths.locks, { recursive: true, mode: 0o700 });
  const path = join(paths.locks, uid);
  return withLock(path, signal, async (lock) => {
    const result = await work(lock);
    // Only one owner at a time asks for it, so that nobody can be left with a lock on a file without a name.
    if (readCached(paths, uid) === undefined) rmSync(path, { force: true });
    return result;
  });
}
