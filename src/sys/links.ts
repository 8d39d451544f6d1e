import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { runCommand } from './command.ts';

/** A network device of this network namespace. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** `bridge`, `veth`, …; undefined for hardware. */
  readonly kind: string | undefined;
  /** The bridge it is a port of. */
  readonly master: string | undefined;
  /** IPv4 addresses as `a.b.c.d/len`. */
  readonly addresses: readonly string[];
}

interface IpLink {
  readonly ifname: string;
  readonly ifindex: number;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string; readonly prefixlen?: number }[];
}

/** All network devices, by iproute2. Rejects with `network.failed` when it is missing. */
export async function links(signal?: AbortSignal): Promise<Link[]> {
  const found = JSON.parse(await ip(['-j', '-d', 'addr', 'show'], signal)) as IpLink[];
  return found
    .filter((link) => 'ifname' in link)
    .map((link) => ({
      name: link.ifname,
      index: link.ifindex,
      kind: link.linkinfo?.info_kind,
      master: link.master,
      addresses: (link.addr_info ?? []).flatMap((address) =>
        address.family === 'inet' && address.local !== undefined ? [`${address.local}/${address.prefixlen ?? 32}`] : [],
      ),
    }));
}

export interface Route {
  /** `a.b.c.d/len`. */
  readonly destination: string;
  readonly device: string | undefined;
}

/** IPv4 routes of all routing tables; default routes are left out. */
export async function routes(signal?: AbortSignal): Promise<Route[]> {
  const text = await ip(['-j', '-4', 'route', 'show', 'table', 'all'], signal);
  return (JSON.parse(text || '[]') as { readonly dst?: string; readonly dev?: string }[]).flatMap(({ dst, dev }) =>
    dst === undefined || dst === 'default' || dst.startsWith('0.0.0.0')
      ? []
      : [{ destination: dst.includes('/') ? dst : `${dst}/32`, device: dev }],
  );
}

/** Runs `ip` and gives its output; what it said on stderr is the cause of the error. */
export async function ip(args: readonly string[], signal?: AbortSignal): Promise<string> {
  try {
    const result = await runCommand('ip', args, signal === undefined ? {} : { signal });
    if (result.code === 0) return result.stdout;
    throw new MinirtError('network.failed', `run ip ${args.join(' ')}: ${result.stderr.trim()}`, {
      details: { stderr: result.stderr.trim() },
    });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new MinirtError('network.failed', `run ip: ${messageOf(error)}`, {
      cause: error,
      hint: 'apt install iproute2',
    });
  }
}
