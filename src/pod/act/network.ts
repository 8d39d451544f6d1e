import { MinirtError } from '../../base/errors.ts';
import type { Pod } from '../../manifest/pod.ts';
import {
  type Bandwidth,
  type PodOnNetwork,
  type PortMapping,
  attachPod,
  becomeNeighbour,
} from '../../network/index.ts';
import type { EngineView } from '../engine.ts';
import type { PodHostPorts } from './host.ts';

export function networkIdentity(ports: PodHostPorts, { record, pod }: EngineView): PodOnNetwork {
  return { state: ports.roots.state, uid: record.uid, name: pod.name, namespace: pod.namespace };
}

/** Gives a pod its place on the network that it is to be on; answers its address, if it has one. */
export async function placeOnNetwork(
  ports: PodHostPorts,
  engine: EngineView,
  { netns, hostIp }: { readonly netns: string; readonly hostIp: string },
): Promise<string | undefined> {
  const { attached } = engine.pod.network;
  const published = portMappings(engine.pod);
  if (attached.kind === 'host') return hostIp;
  if (attached.kind === 'none') {
    const [first] = published;
    if (first === undefined) return undefined;
    throw new MinirtError('network.failed', `publish host port: ${first.hostPort}: the pod is on no network`);
  }
  const network = attached.kind === 'named' ? attached.name : undefined;
  const { ip, confined } = await attachPod(
    { ...networkIdentity(ports, engine), netns, network, ports: published, bandwidth: bandwidthOf(engine.pod) },
    ports.signal,
  );
  if (confined !== undefined) {
    engine.note({ kind: 'note', text: `the pod cannot reach beyond this host: ${confined}` });
  }
  return ip;
}

/** On a network that was chosen by name, the others are told of the pod, and it of them. */
export async function introduce(
  ports: PodHostPorts,
  { pod, record }: EngineView,
  { ip, hosts }: { readonly ip: string | undefined; readonly hosts: string },
): Promise<void> {
  const { attached } = pod.network;
  if (attached.kind !== 'named' || ip === undefined) return;
  const { name, namespace } = pod;
  const self = { uid: record.uid, name, namespace, network: attached.name, ip, hosts };
  await becomeNeighbour(ports.roots.state, self, ports.signal);
}

/** Bits; as containerd asks for it: a rate is kept over any time longer than such a burst takes. */
const BURST = 2 ** 32 - 1;

function bandwidthOf({ network: { bandwidth } }: Pod): Bandwidth | undefined {
  const { ingress, egress } = bandwidth;
  if (ingress === undefined && egress === undefined) return undefined;
  return {
    ...(ingress === undefined ? {} : { ingressRate: ingress, ingressBurst: BURST }),
    ...(egress === undefined ? {} : { egressRate: egress, egressBurst: BURST }),
  };
}

/** Of main containers and sidecars: no other container is there all the time (kubelet: generatePodSandboxConfig). */
function portMappings({ containers }: Pod): readonly PortMapping[] {
  return containers
    .filter(({ role }) => role !== 'init')
    .flatMap((container) => container.ports)
    .filter(({ hostPort }) => hostPort !== 0)
    .map(({ hostPort, containerPort, protocol, hostIP }) => ({
      hostPort,
      containerPort,
      protocol: protocol.toLowerCase() as PortMapping['protocol'],
      hostIP,
    }));
}
