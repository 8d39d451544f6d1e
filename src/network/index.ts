import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { withLock } from '../helper/flock.ts';
import { bootId } from '../sys/host.ts';
import { bridgeName, defaultNetwork, ensureBridge, removeBridge, subnetOf } from './bridge.ts';
import { addNetwork, deleteNetwork, requirePlugins } from './cni.ts';
import type { Attachment, CniResult, NetworkList } from './cni.ts';
import { cacheFile, networkPaths } from './paths.ts';
import type { NetworkPaths } from './paths.ts';

/** A pod's device in its own network namespace. */
const INTERFACE = 'eth0';

/** statfs(2) of a kept namespace. */
const NSFS_MAGIC = 0x6e736673;

/** How long undoing a failed ADD may take: its caller may have been aborted, so it has a limit of its own. */
const UNDO_LIMIT_MS = 20_000;

export interface PodOnNetwork {
  readonly state: string;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

export interface PodAddress {
  readonly ip: string;
  readonly gateway: string;
  /** In the pod. */
  readonly interface: string;
}

/** What is known about one attachment, so that it can be undone after a crash. */
interface Cached {
  readonly list: NetworkList;
  readonly attachment: Attachment;
  /** Absent while ADD is under way. */
  readonly result?: CniResult;
}

/**
 * Gives the pod's network namespace an address on the default network of this state folder. One that is
 * attached already is detached first. On failure nothing stays attached. Rejects with `network.no-plugin`, `network.failed`, or the signal's reason.
 */
export async function attachPod(
  options: PodOnNetwork & { readonly netns: string },
  signal: AbortSignal,
): Promise<PodAddress> {
  const paths = networkPaths(options.state);
  // An owner that died in or after an ADD left its note; a second ADD would find the device and the address taken.
  if (attachedPods(options.state).includes(options.uid)) await detachPod({ ...options, netns: undefined }, signal);
  const cached = await locked(paths, signal, async (): Promise<Cached> => {
    try {
      const list = await prepareNetwork(options.state, paths, signal);
      requirePlugins(list);
      const entry = { list, attachment: attachmentOf(options) };
      writeJson(cacheFile(paths, options.uid), entry);
      return entry;
    } catch (error) {
      await dropUnusedBridge(options.state, AbortSignal.timeout(UNDO_LIMIT_MS));
      throw error;
    }
  });
  try {
    const result = await addNetwork(cached.list, cached.attachment, signal);
    writeJson(cacheFile(paths, options.uid), { ...cached, result } satisfies Cached);
    return addressOf(result);
  } catch (error) {
    try {
      await detachPod(options, AbortSignal.timeout(UNDO_LIMIT_MS));
    } catch (undo) {
      const text = `${messageOf(error)}; undo: ${messageOf(undo)}`;
      throw new MinirtError('network.failed', text, { cause: error });
    }
    throw error;
  }
}

/**
 * Takes the pod off its network and gives its address back; the bridge goes with the last pod. Does nothing when it was
 * never attached or is detached already; works after a crash and when the namespace is gone.
 */
export async function detachPod(
  options: PodOnNetwork & { readonly netns?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const paths = networkPaths(options.state);
  if (await locked(paths, signal, () => forgetOtherBoot(options.state, paths, signal))) return;
  const cached = readJson<Cached>(cacheFile(paths, options.uid));
  if (cached !== undefined) {
    const netns = options.netns ?? cached.attachment.netns;
    // Plugins fail on a file whose namespace is gone, where they accept that there is none (CNI spec 1.0: DEL).
    const attachment = { ...attachmentOf(options), netns: isNamespace(netns) ? netns : '' };
    await deleteNetwork(cached.list, attachment, { result: cached.result, signal });
  }
  await locked(paths, signal, async () => {
    rmSync(cacheFile(paths, options.uid), { force: true });
    await dropUnusedBridge(options.state, signal);
  });
}

/** Called with the lock held: an ADD that is under way has its file in the cache by then. */
async function dropUnusedBridge(state: string, signal: AbortSignal): Promise<void> {
  if (attachedPods(state).length === 0) await removeBridge(bridgeName(state), signal);
}

/** Uids of the pods that are attached, or are being attached or detached. */
export function attachedPods(state: string): string[] {
  try {
    return readdirSync(networkPaths(state).cache).flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? []);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Names of the host's ends of a pod's devices; empty when it is not attached. */
export function hostDevices(state: string, uid: string): string[] {
  const result = readJson<Cached>(cacheFile(networkPaths(state), uid))?.result;
  return (result?.interfaces ?? []).filter((link) => (link.sandbox ?? '') === '').map((link) => link.name);
}

/** The network list of this boot, with its bridge up. Called with the lock held. */
async function prepareNetwork(state: string, paths: NetworkPaths, signal: AbortSignal): Promise<NetworkList> {
  await forgetOtherBoot(state, paths, signal);
  mkdirSync(paths.cache, { recursive: true, mode: 0o700 });
  const saved = readJson<NetworkList>(paths.conflist);
  const bridge = bridgeName(state);
  const wanted = saved === undefined ? undefined : subnetOf(saved);
  const subnet = await ensureBridge(bridge, wanted, signal);
  if (saved !== undefined && wanted?.base === subnet.base) return saved;
  const list = defaultNetwork({ bridge, subnet, dataDir: paths.ipam });
  writeJson(paths.conflist, list);
  return list;
}

/** Drops what an earlier boot has left, and answers whether there was any. Called with the lock held. */
async function forgetOtherBoot(state: string, paths: NetworkPaths, signal: AbortSignal): Promise<boolean> {
  if (readText(paths.boot) === bootId()) return false;
  for (const path of [paths.conflist, paths.ipam, paths.cache]) rmSync(path, { recursive: true, force: true });
  await removeBridge(bridgeName(state), signal);
  writeAtomically(paths.boot, bootId());
  return true;
}

function attachmentOf(pod: PodOnNetwork & { readonly netns?: string | undefined }): Attachment {
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: pod.namespace,
    K8S_POD_NAME: pod.name,
    K8S_POD_INFRA_CONTAINER_ID: pod.uid,
    K8S_POD_UID: pod.uid,
  };
  return {
    container: pod.uid,
    interface: INTERFACE,
    netns: pod.netns ?? '',
    args: Object.entries(args)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  };
}

/** Whether a namespace is kept at this path: the file stays when it is unmounted. */
function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function addressOf(result: CniResult): PodAddress {
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

function writeJson(path: string, value: unknown): void {
  writeAtomically(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

function writeAtomically(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

function readJson<T>(path: string): T | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new MinirtError('state.corrupt', `read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
