import { NETWORK } from '../manifest/defaults.ts';
import { podFromObject } from '../manifest/parse.ts';
import type { Pod } from '../manifest/pod.ts';
import { loadNetwork } from '../network/named.ts';
import { type OptionSpec, usage } from './verb.ts';

export interface NetworkOption {
  readonly network?: string;
}

export const networkOption: OptionSpec = {
  flags: '--network <name>',
  text: 'a network of /etc/cni/net.d, host, or none (its own loopback only)',
};

/** The pods on the network that the command line names, if it names one; fails when there is no such network. */
export async function onNetwork(pods: readonly Pod[], name: string | undefined): Promise<readonly Pod[]> {
  if (name === undefined) return pods;
  if (name === '') throw usage('--network: name a network');
  if (!['host', 'none', 'default'].includes(name)) await loadNetwork(name);
  return pods.map((pod) => (name === 'host' ? onHost(pod) : onOther(pod, name)));
}

function onHost({ object }: Pod): Pod {
  return podFromObject({ ...object, spec: { ...object.spec, hostNetwork: true } });
}

function onOther({ name, object, network }: Pod, wanted: string): Pod {
  if (network.attached.kind === 'host') {
    throw usage(`--network ${wanted}: pod "${name}" has hostNetwork: true`, 'leave out one of the two');
  }
  const annotations = { ...object.metadata?.annotations, [NETWORK]: wanted };
  return podFromObject({ ...object, metadata: { ...object.metadata, annotations } });
}
