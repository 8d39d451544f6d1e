import { isMinirtError, messageOf } from '../base/errors.ts';
import { type Rule, deleteRule, ensureRule, listRules } from './iptables.ts';
import { type Subnet, formatSubnet } from './subnet.ts';

/**
 * What the default network asks of the host's firewall: its pods may reach out, in the host's name, and are answered,
 * also where the policy of FORWARD is DROP, as Docker makes it. The rules belong to the bridge and not to its pods
 * (which is what `ipMasq` of the plugin would do): there are three for any number of pods, and none can be left by a
 * plugin that was interrupted or that finds a pod's namespace gone.
 */
export function bridgeRules(bridge: string, subnet: Subnet): readonly Rule[] {
  const mark = ['-m', 'comment', '--comment', commentOf(bridge)];
  const outwards = ['-s', formatSubnet(subnet), '!', '-d', '224.0.0.0/4', '!', '-o', bridge];
  const answers = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED,DNAT'];
  return [
    { table: 'nat', chain: 'POSTROUTING', words: [...outwards, ...mark, '-j', 'MASQUERADE'] },
    { table: 'filter', chain: 'FORWARD', words: ['-i', bridge, ...mark, '-j', 'ACCEPT'] },
    { table: 'filter', chain: 'FORWARD', words: ['-o', bridge, ...answers, ...mark, '-j', 'ACCEPT'] },
  ];
}

/** Answers why pods cannot reach beyond the host: iptables is missing, or cannot do it. Undefined: they can. */
export async function ensureBridgeRules(
  bridge: string,
  subnet: Subnet,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    for (const rule of bridgeRules(bridge, subnet)) await ensureRule(rule, signal);
    return undefined;
  } catch (error) {
    if (!isMinirtError(error, 'network.failed')) throw error;
    return error.hint === undefined ? messageOf(error) : `${messageOf(error)} (${error.hint})`;
  }
}

/** Whatever subnet they are for; no error when there are none. */
export async function removeBridgeRules(bridge: string, signal: AbortSignal): Promise<void> {
  for (const rule of await rulesOf(bridge, signal)) await deleteRule(rule, signal);
}

/** Those that a bridge has in the firewall. */
export async function rulesOf(bridge: string, signal: AbortSignal): Promise<readonly Rule[]> {
  const ours = ({ words }: Rule): boolean => words.includes(commentOf(bridge));
  return [...(await listRules('nat', signal, ours)), ...(await listRules('filter', signal, ours))];
}

function commentOf(bridge: string): string {
  return `minirt:${bridge}`;
}
