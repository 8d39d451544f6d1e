import { createHash } from 'node:crypto';
import { MinirtError, isMinirtError } from '../base/errors.ts';
import { ip, links, routes } from '../sys/links.ts';
import { stateTag } from '../sys/state-tag.ts';
import type { NetworkList } from './cni.ts';
import { removeBridgeRules } from './firewall.ts';
import { DEFAULT_NETWORK } from './paths.ts';
import { POOL_VARIABLE } from './pool.ts';
import { addressIn, chooseSubnet, formatSubnet, overlaps, parseSubnet } from './subnet.ts';
import type { Subnet } from './subnet.ts';

/** How many other minirts may pick the same subnet at the same moment before this one gives up. */
const ATTEMPTS = 20;

export const BRIDGE_PREFIX = 'mrt-';

/** A state folder's own bridge; the kernel allows 15 characters. */
export function bridgeName(state: string): string {
  return `${BRIDGE_PREFIX}${stateTag(state)}`;
}

/** The default network: a bridge that has the first address, host-local giving out the others, and what pods ask for. */
export function defaultNetwork(options: { bridge: string; subnet: Subnet; dataDir: string }): NetworkList {
  return {
    cniVersion: '1.0.0',
    name: DEFAULT_NETWORK,
    plugins: [
      {
        type: 'bridge',
        bridge: options.bridge,
        isGateway: true,
        // See firewall.ts.
        ipMasq: false,
        // A pod may call itself by a port of the host.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: options.dataDir,
          ranges: [[{ subnet: formatSubnet(options.subnet), gateway: addressIn(options.subnet, 1) }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', snat: true, capabilities: { portMappings: true } },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ],
  };
}

/** The subnet that a saved network list says; undefined when it is not one of ours. */
export function subnetOf(list: NetworkList): Subnet | undefined {
  const ranges = list.plugins[0]?.ipam?.['ranges'] as readonly (readonly { subnet?: string }[])[] | undefined;
  return parseSubnet(ranges?.[0]?.[0]?.subnet ?? '');
}

/**
 * Sees to it that the bridge is there and has its address, and returns its subnet: `wanted` unless the host uses that by
 * now. The bridge is made here and not by the plugin because its address is the reservation of the subnet: two minirts
 * that pick the same one at the same time both see it, and each then looks for another.
 */
export async function ensureBridge(
  name: string,
  { wanted, pool }: { readonly wanted: Subnet | undefined; readonly pool: Subnet },
  signal: AbortSignal,
): Promise<Subnet> {
  const refused: Subnet[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await links(signal);
    const existing = found.find((link) => link.name === name);
    const held = existing?.addresses.map(parseSubnet).find((subnet) => subnet !== undefined);
    if (held !== undefined) return held;
    if (existing !== undefined) await removeBridge(name, signal);
    const taken = [...(await inUse(name, signal)), ...refused];
    const free = wanted !== undefined && !taken.some((other) => overlaps(wanted, other));
    const subnet = free ? wanted : chooseSubnet(pool, taken);
    if (subnet === undefined) break;
    await makeBridge(name, subnet, signal);
    const rivals = await inUse(name, signal);
    if (!rivals.some((other) => overlaps(subnet, other))) return subnet;
    await removeBridge(name, signal);
    // By chance, so that two that met here do not meet again at the next subnet for ever.
    refused.push(...(Math.random() < 0.5 ? [subnet] : []));
  }
  throw new MinirtError('network.failed', `choose pod network: ${formatSubnet(pool)}: no /24 is free on this host`, {
    hint: `another range in ${POOL_VARIABLE}`,
  });
}

/** What addresses and routes other than the bridge's own occupy. */
async function inUse(bridge: string, signal: AbortSignal): Promise<Subnet[]> {
  const others = (await links(signal)).filter((link) => link.name !== bridge).flatMap((link) => link.addresses);
  const routed = (await routes(signal)).filter(({ device }) => device !== bridge).map((route) => route.destination);
  return [...others, ...routed].flatMap((text) => parseSubnet(text) ?? []);
}

/** Its MAC is fixed: else it follows the lowest of the ports', and a pod that comes or goes upsets the others' ARP. */
async function makeBridge(name: string, subnet: Subnet, signal: AbortSignal): Promise<void> {
  const digest = createHash('sha256').update(name).digest();
  const mac = ['02', ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
  await ip(['link', 'add', 'name', name, 'address', mac, 'type', 'bridge'], signal);
  await ip(['addr', 'add', `${addressIn(subnet, 1)}/${subnet.length}`, 'brd', '+', 'dev', name], signal);
  await ip(['link', 'set', name, 'up'], signal);
}

/** Removes its rules of the firewall, then itself. No error when it is gone already. */
export async function removeBridge(name: string, signal: AbortSignal): Promise<void> {
  await removeBridgeRules(name, signal);
  try {
    await ip(['link', 'delete', name, 'type', 'bridge'], signal);
  } catch (error) {
    if (!isMinirtError(error) || !String(error.details['stderr']).includes('Cannot find device')) throw error;
  }
}
