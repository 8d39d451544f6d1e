import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import type { NetworkList, PluginConfig } from './cni.ts';

/** Versions of which results have `ips` with their addresses' devices, as minirt reads them. */
const VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

/** Where networks are described: NETCONFPATH, as cnitool has it, else the folder that all runtimes share. */
function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['NETCONFPATH'] || '/etc/cni/net.d';
}

/**
 * The network of this name: a list of plugins in a `.conflist`, or a single plugin in a `.conf` or `.json`, which older
 * networks are. Files are looked through in the order of their names.
 * @throws MinirtError network.failed: no such network, or its file is wrong
 */
export async function loadNetwork(name: string, folder: string = configFolder()): Promise<NetworkList> {
  const files = (await filesOf(folder)).filter((file) => /\.(conflist|conf|json)$/.test(file)).toSorted();
  const found: string[] = [];
  const broken: string[] = [];
  for (const file of files) {
    const path = join(folder, file);
    let config: Readonly<Record<string, unknown>>;
    try {
      config = JSON.parse(await readFile(path, 'utf8')) as typeof config;
    } catch (error) {
      broken.push(`${path}: ${messageOf(error)}`);
      continue;
    }
    if (config['name'] === name) return readNetwork(config, name, path);
    if (typeof config['name'] === 'string') found.push(config['name']);
  }
  const meant = nearest(name, found);
  const others = found.length === 0 ? '' : ` (there are: ${found.join(', ')})`;
  const flaws = broken.map((flaw) => `; ${flaw}`).join('');
  throw new MinirtError('network.failed', `find network: ${name}: not in ${folder}${others}${flaws}`, {
    ...(meant === undefined ? {} : { hint: `is "${meant}" meant?` }),
  });
}

async function filesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
}

function readNetwork(config: Readonly<Record<string, unknown>>, name: string, path: string): NetworkList {
  const wrong = (what: string): MinirtError => new MinirtError('network.failed', `read network: ${path}: ${what}`);
  const { cniVersion, plugins, disableCheck, type } = config;
  if (typeof cniVersion !== 'string' || !VERSIONS.includes(cniVersion)) {
    throw wrong(`cniVersion ${JSON.stringify(cniVersion)} is none of ${VERSIONS.join(', ')}`);
  }
  const list = type === undefined ? plugins : [config];
  if (!Array.isArray(list) || list.length === 0) throw wrong('"plugins" must be a list of one or more');
  for (const plugin of list as readonly unknown[]) {
    const its = (plugin as { readonly type?: unknown } | null)?.type;
    if (typeof its !== 'string' || !/^[^/]+$/.test(its)) throw wrong('every plugin needs a "type" without slashes');
  }
  return {
    cniVersion,
    name,
    ...(disableCheck === true ? { disableCheck } : {}),
    plugins: list as readonly PluginConfig[],
  };
}
