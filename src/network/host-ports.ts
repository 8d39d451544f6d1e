import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { MinirtError, isErrno } from '../base/errors.ts';
import { withLock } from '../helper/flock.ts';
import { attachments } from './attachment.ts';
import { type Rule, deleteChain, deleteRule, listRules } from './iptables.ts';

/** Held by every minirt of this host while ports of the host are given out or taken back. */
const HOST_LOCK = '/run/minirt-host-ports.lock';

/** The chains that the plugin portmap makes once for all and never removes. */
const PORTMAP_CHAINS = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SETMARK'];

/** A port of the host that leads to a pod; the names are those of the capability `portMappings`. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Empty: all addresses of the host. */
  readonly hostIP: string;
}

/** Runs `work` while no other minirt gives out ports. */
export function withHostPorts<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return withLock(HOST_LOCK, signal, work);
}

/** Throws `network.failed` when somebody has one of these ports: the plugin would take it away from them. */
export async function refuseTaken(wanted: readonly PortMapping[], state: string, signal: AbortSignal): Promise<void> {
  const rules = await listRules('nat', signal, ({ words }) => words.includes('DNAT'));
  for (const mapping of wanted) {
    const holder =
      podWith(mapping, state) ??
      (rules.some((rule) => sendsAway(rule, mapping)) ? 'a NAT rule of this host sends it elsewhere' : undefined) ??
      ((await isListenedOn(mapping)) ? 'a process of this host listens on it' : undefined);
    if (holder === undefined) continue;
    throw new MinirtError('network.failed', `publish host port: ${portName(mapping)}: it is taken: ${holder}`, {
      details: { ...mapping },
    });
  }
}

function portName({ hostIP, hostPort, protocol }: PortMapping): string {
  return `${hostIP === '' ? '' : `${hostIP}:`}${hostPort}/${protocol.toUpperCase()}`;
}

function podWith(mapping: PortMapping, state: string): string | undefined {
  const holder = attachments(state).find(({ capabilities }) => {
    const theirs = (capabilities['portMappings'] ?? []) as readonly PortMapping[];
    return theirs.some((one) => collide(one, mapping));
  });
  return holder === undefined ? undefined : `pod ${holder.pod} has it`;
}

function collide(a: PortMapping, b: PortMapping): boolean {
  const everywhere = (address: string): boolean => ['', '0.0.0.0', '::'].includes(address);
  const meet = a.hostIP === b.hostIP || everywhere(a.hostIP) || everywhere(b.hostIP);
  return meet && a.hostPort === b.hostPort && a.protocol === b.protocol;
}

/** Whether a rule like `-d 192.0.2.1/32 -p tcp --dport 80 -j DNAT` is about this port. */
export function sendsAway({ words }: Rule, mapping: PortMapping): boolean {
  const after = (word: string): string => words[words.indexOf(word) + 1] ?? '';
  if (!words.includes('--dport') || words[words.indexOf('-d') - 1] === '!') return false;
  const address = words.includes('-d') ? after('-d').replace(/\/32$/, '') : '';
  const theirs = { hostIP: address, hostPort: Number(after('--dport')), protocol: after('-p') };
  return collide(theirs as PortMapping, mapping);
}

/** By trying to listen there oneself. An address that is not the host's is nobody's; of SCTP nothing can be said. */
async function isListenedOn({ hostIP, hostPort: port, protocol }: PortMapping): Promise<boolean> {
  const host = hostIP === '' ? '0.0.0.0' : hostIP;
  try {
    if (protocol === 'tcp') {
      const server = createServer().listen({ port, host, exclusive: true });
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    } else if (protocol === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind({ port, address: host, exclusive: true });
      await once(socket, 'listening');
      socket.close();
      await once(socket, 'close');
    }
    return false;
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) return true;
    if (isErrno(error, 'EADDRNOTAVAIL')) return false;
    throw error;
  }
}

/** Removes portmap's own chains once no port of the host leads anywhere: it would leave them for ever. */
export async function dropUnusedChains(signal: AbortSignal): Promise<void> {
  const isPortmaps = ({ chain, words }: Rule): boolean =>
    PORTMAP_CHAINS.includes(chain) || PORTMAP_CHAINS.some((name) => words.includes(name));
  const rules = await listRules('nat', signal, isPortmaps);
  const inUse = rules.some(({ chain, words }) => chain === 'CNI-HOSTPORT-DNAT' || /^CNI-DN-/.test(words.at(-1) ?? ''));
  if (rules.length === 0 || inUse) return;
  for (const rule of rules.filter(({ chain }) => !PORTMAP_CHAINS.includes(chain))) await deleteRule(rule, signal);
  for (const chain of PORTMAP_CHAINS) await deleteChain('nat', chain, signal);
}
