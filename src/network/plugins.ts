import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { MinirtError, isErrno } from '../base/errors.ts';

/** What Debian's containernetworking-plugins and the CNI project's own release have. */
const COMMON = [
  'bandwidth', 'bridge', 'dhcp', 'dummy', 'firewall', 'host-device', 'host-local', 'ipvlan', 'loopback', 'macvlan',
  'portmap', 'ptp', 'sbr', 'static', 'tap', 'tuning', 'vlan', 'vrf',
]; // prettier-ignore

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
    hint: COMMON.includes(type)
      ? 'apt install containernetworking-plugins'
      : 'put it into /opt/cni/bin, or name its folder in CNI_PATH',
    details: { plugin: type },
  });
}
