import { join } from 'node:path';

/** Where a state folder keeps its network; the folder is void after a boot. */
export interface NetworkPaths {
  readonly dir: string;
  /** The network list: chosen once, and a place to look when something is odd. */
  readonly conflist: string;
  /** host-local's reservations: a file per address. */
  readonly ipam: string;
  /** A file per attached pod: what ADD was asked and what it answered. */
  readonly cache: string;
  /** Held while the bridge and the network list may change. */
  readonly lock: string;
  /** A file per pod, held by whoever changes its attachment: its owner, and the plugins that this one runs. */
  readonly locks: string;
  /** A file per pod on a network that was chosen by name, and a lock beside. */
  readonly neighbours: string;
  /** The boot that all of this belongs to. */
  readonly boot: string;
}

/** The default network's name, also host-local's folder in `ipam`. */
export const DEFAULT_NETWORK = 'default';

export function networkPaths(state: string): NetworkPaths {
  const dir = join(state, 'network');
  return {
    dir,
    conflist: join(dir, `${DEFAULT_NETWORK}.conflist`),
    ipam: join(dir, 'ipam'),
    cache: join(dir, 'cache'),
    lock: join(dir, 'lock'),
    locks: join(dir, 'locks'),
    neighbours: join(dir, 'neighbours'),
    boot: join(dir, 'boot-id'),
  };
}

/** The file that remembers one pod's attachment. */
export function cacheFile(paths: NetworkPaths, uid: string): string {
  return join(paths.cache, `${uid}.json`);
}
