import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { MinirtError, isErrno } from '../base/errors.ts';
import { runCommand } from '../sys/command.ts';

/** A list of CNI plugins that make one network (CNI spec 1.0, section 1). */
export interface NetworkList {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginConfig[];
}

export interface PluginConfig {
  readonly type: string;
  readonly ipam?: { readonly type: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** What ADD says about the attachment (CNI spec 1.0, section 5). */
export interface CniResult {
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[];
  readonly ips?: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number }[];
}

/** One container's side of a network: the parameters of a CNI call. */
export interface Attachment {
  readonly container: string;
  readonly interface: string;
  /** Empty once it is gone. */
  readonly netns: string;
  /** `K=V;K=V`. */
  readonly args: string;
}

/** Where plugins are looked for: CNI_PATH, then Debian's folder, then upstream's. */
export function pluginFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  const own = (env['CNI_PATH'] ?? '').split(':').filter((dir) => dir !== '');
  return [...own, '/usr/lib/cni', '/opt/cni/bin'];
}

/** The plugin's path. Throws `network.no-plugin` when no folder has it. */
export function findPlugin(type: string, folders: readonly string[] = pluginFolders()): string {
  for (const folder of folders) {
    const path = join(folder, type);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR') && !isErrno(error, 'EACCES')) throw error;
    }
  }
  throw new MinirtError('network.no-plugin', `find CNI plugin: ${type}: not in ${folders.join(', ')}`, {
    hint: 'apt install containernetworking-plugins',
  });
}

/** Throws `network.no-plugin` unless every plugin of the network is installed: an ADD without one cannot be undone either. */
export function requirePlugins({ plugins }: NetworkList, folders: readonly string[] = pluginFolders()): void {
  for (const { type, ipam } of plugins) {
    findPlugin(type, folders);
    if (ipam !== undefined) findPlugin(ipam.type, folders);
  }
}

/** Attaches through every plugin in turn; each gets what the one before it said. */
export async function addNetwork(list: NetworkList, to: Attachment, signal: AbortSignal): Promise<CniResult> {
  let result: CniResult | undefined;
  for (const plugin of list.plugins) {
    const text = await call('ADD', { list, plugin, to, prevResult: result, signal });
    result = JSON.parse(text) as CniResult;
  }
  return result ?? {};
}

/** Detaches in reverse order. No error when there is nothing (left) to detach. */
export async function deleteNetwork(
  list: NetworkList,
  from: Attachment,
  options: { readonly result: CniResult | undefined; readonly signal: AbortSignal },
): Promise<void> {
  for (const plugin of [...list.plugins].reverse()) {
    await call('DEL', { list, plugin, to: from, prevResult: options.result, signal: options.signal });
  }
}

interface Call {
  readonly list: NetworkList;
  readonly plugin: PluginConfig;
  readonly to: Attachment;
  readonly prevResult: CniResult | undefined;
  readonly signal: AbortSignal;
}

async function call(command: 'ADD' | 'DEL', about: Call): Promise<string> {
  const { list, plugin, to } = about;
  const folders = pluginFolders();
  const path = findPlugin(plugin.type, folders);
  if (plugin.ipam !== undefined) findPlugin(plugin.ipam.type, folders);
  const config = { ...plugin, cniVersion: list.cniVersion, name: list.name, prevResult: about.prevResult };
  const result = await runCommand(path, [], {
    input: JSON.stringify(config),
    signal: about.signal,
    env: {
      // Plugins look for iptables and the like.
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      CNI_COMMAND: command,
      CNI_CONTAINERID: to.container,
      CNI_NETNS: to.netns,
      CNI_IFNAME: to.interface,
      CNI_ARGS: to.args,
      CNI_PATH: folders.join(':'),
    },
  });
  if (result.code === 0) return result.stdout;
  const cause = pluginError(result.stdout) ?? (result.stderr.trim() || `exit status ${result.code ?? 'unknown'}`);
  throw new MinirtError('network.failed', `${command.toLowerCase()} network ${list.name}: ${plugin.type}: ${cause}`, {
    details: { plugin: plugin.type, container: to.container },
  });
}

/** Plugins say what failed as JSON on stdout. */
function pluginError(stdout: string): string | undefined {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string };
    if (msg === undefined) return undefined;
    return details === undefined || details === '' ? msg : `${msg}: ${details}`;
  } catch {
    return undefined;
  }
}
