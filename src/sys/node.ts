import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, hostname, networkInterfaces, totalmem } from 'node:os';

/** This host as a node of a cluster would be seen by its pods. */
export interface Node {
  readonly name: string;
  /** The IPv4 address that others reach it at; of a host without a default route the loopback one. */
  readonly ip: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes of the file system at `root`. */
  readonly storage: number;
}

export function thisNode(root: string): Node {
  const { blocks, bsize } = statfsSync(root);
  return {
    name: hostname().toLowerCase(),
    ip: addressOf(defaultInterface()) ?? '127.0.0.1',
    cpus: availableParallelism(),
    memory: totalmem(),
    storage: blocks * bsize,
  };
}

function addressOf(name: string | undefined): string | undefined {
  const addresses = name === undefined ? undefined : networkInterfaces()[name];
  return addresses?.find(({ family }) => family === 'IPv4')?.address;
}

/** The interface of the default route with the lowest metric (proc_net_route: destination and mask are zero). */
function defaultInterface(): string | undefined {
  const rows = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  const routes = rows.map((row) => row.split('\t'));
  const defaults = routes.filter(([, destination, , , , , , mask]) => destination === mask && /^0+$/.test(mask ?? ''));
  return defaults.toSorted((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
