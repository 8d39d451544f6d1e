import { MinirtError, isMinirtError, messageOf } from '../base/errors.ts';
import { type CommandResult, runCommand } from '../sys/command.ts';
import { findPlugin, pluginFolders } from './plugins.ts';

/** A list of CNI plugins that make one network (CNI spec 1.0, section 1). */
export interface NetworkList {
  readonly cniVersion: string;
  readonly name: string;
  /** The network does not want to be checked. */
  readonly disableCheck?: boolean;
  readonly plugins: readonly PluginConfig[];
}

export interface PluginConfig {
  readonly type: string;
  readonly ipam?: { readonly type: string; readonly [key: string]: unknown };
  /** What it can be told about a single pod. */
  readonly capabilities?: Readonly<Record<string, boolean>>;
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

/** What a pod asks of plugins that declare the capability (CNI conventions): `portMappings`, `bandwidth`. */
export type Capabilities = Readonly<Record<string, unknown>>;

/** One operation on an attachment. */
export interface Operation {
  readonly list: NetworkList;
  readonly attachment: Attachment;
  readonly capabilities: Capabilities;
  readonly signal: AbortSignal;
  /** A descriptor that the plugins inherit: its lock is held until the last of them has ended, whatever becomes of us. */
  readonly lock: number;
}

/** Throws `network.no-plugin` unless every plugin of the network is installed: an ADD without one cannot be undone either. */
export function requirePlugins({ plugins }: NetworkList, folders: readonly string[] = pluginFolders()): void {
  for (const { type, ipam } of plugins) {
    findPlugin(type, folders);
    if (ipam !== undefined) findPlugin(ipam.type, folders);
  }
}

/** Attaches through every plugin in turn; each gets what the one before it said. */
export async function addNetwork(operation: Operation): Promise<CniResult> {
  let result: CniResult | undefined;
  for (const plugin of operation.list.plugins) {
    const text = await call('ADD', operation, plugin, result);
    try {
      result = JSON.parse(text) as CniResult;
    } catch (cause) {
      throw failure('ADD', operation, plugin, `its answer is no JSON: ${messageOf(cause)}`);
    }
  }
  return result ?? {};
}

/** Asks every plugin whether the attachment is still what its ADD made it. Versions before 0.4.0 cannot say. */
export async function checkNetwork(operation: Operation, result: CniResult): Promise<void> {
  const { list } = operation;
  if (list.disableCheck === true || /^0\.[0-3]\./.test(list.cniVersion)) return;
  for (const plugin of list.plugins) await call('CHECK', operation, plugin, result);
}

/**
 * Detaches in reverse order. No error when there is nothing (left) to detach. A plugin that fails does not keep the others
 * from undoing their part; its error is thrown after them. Without a result no ADD came to its end: what is not there now
 * was not there then, and has nothing to undo.
 */
export async function deleteNetwork(operation: Operation, result: CniResult | undefined): Promise<void> {
  const errors: unknown[] = [];
  for (const plugin of operation.list.plugins.toReversed()) {
    try {
      await call('DEL', operation, plugin, result);
    } catch (error) {
      if (result === undefined && isMinirtError(error, 'network.no-plugin')) continue;
      if (!isMinirtError(error, 'network.failed') && !isMinirtError(error, 'network.no-plugin')) throw error;
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

type Command = 'ADD' | 'CHECK' | 'DEL';

async function call(
  command: Command,
  operation: Operation,
  plugin: PluginConfig,
  prevResult: CniResult | undefined,
): Promise<string> {
  const { attachment } = operation;
  const folders = pluginFolders();
  const path = findPlugin(plugin.type, folders);
  if (plugin.ipam !== undefined) findPlugin(plugin.ipam.type, folders);
  const result = await runCommand(path, [], {
    input: JSON.stringify(executionConfig(operation, plugin, prevResult)),
    signal: operation.signal,
    inherit: [operation.lock],
    env: {
      // Plugins look for iptables and the like.
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      CNI_COMMAND: command,
      CNI_CONTAINERID: attachment.container,
      CNI_NETNS: attachment.netns,
      CNI_IFNAME: attachment.interface,
      CNI_ARGS: attachment.args,
      CNI_PATH: folders.join(':'),
    },
  }).catch((error: unknown) => {
    if (operation.signal.aborted) throw error;
    throw failure(command, operation, plugin, messageOf(error));
  });
  if (result.code === 0) return result.stdout;
  throw failure(command, operation, plugin, pluginWords(result) ?? `exit status ${result.code ?? 'unknown'}`);
}

/** CNI spec 1.0, section 4: deriving execution configuration. */
function executionConfig(
  { list, capabilities }: Operation,
  { capabilities: declared = {}, ...plugin }: PluginConfig,
  prevResult: CniResult | undefined,
): object {
  const told = Object.entries(capabilities).filter(([name]) => declared[name] === true);
  return {
    ...plugin,
    cniVersion: list.cniVersion,
    name: list.name,
    ...(told.length === 0 ? {} : { runtimeConfig: Object.fromEntries(told) }),
    prevResult,
  };
}

function failure(
  command: Command,
  { list, attachment }: Operation,
  { type }: PluginConfig,
  cause: string,
): MinirtError {
  return new MinirtError('network.failed', `${command.toLowerCase()} network ${list.name}: ${type}: ${cause}`, {
    details: { plugin: type, container: attachment.container },
    ...(/iptables.*executable file not found/.test(cause) ? { hint: 'apt install iptables' } : {}),
  });
}

/** Plugins say what failed as JSON on stdout; those that break down, on stderr. */
function pluginWords({ stdout, stderr }: CommandResult): string | undefined {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string };
    if (msg !== undefined) return details === undefined || details === '' ? msg : `${msg}: ${details}`;
  } catch {
    // No JSON: what is on stderr has to do.
  }
  return stderr.trim() === '' ? undefined : stderr.trim();
}
