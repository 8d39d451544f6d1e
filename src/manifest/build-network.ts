import { EGRESS, INGRESS, NETWORK } from './defaults.ts';
import { divided, nanos } from './quantity.ts';
import type { Attached, Pod, PodDns, PodNetwork, V1Pod } from './pod.ts';

/** What every usual cluster calls itself; there is no cluster here, so nobody can have named it otherwise. */
const CLUSTER_DOMAIN = 'cluster.local';

/** What a pod is called and whom it knows (pkg/kubelet/kubelet_pods.go: GeneratePodHostNameAndDomain). */
export function buildNetwork({ metadata = {}, spec }: V1Pod): Pick<Pod, 'hostname' | 'network'> {
  const { name = '', namespace = 'default' } = metadata;
  const { hostname = '', subdomain = '', setHostnameAsFQDN = false, hostAliases = [] } = spec ?? {};
  const { hostnameOverride = '' } = (spec ?? {}) as { readonly hostnameOverride?: string };
  const domain = subdomain === '' || hostnameOverride !== '' ? '' : `${subdomain}.${namespace}.svc.${CLUSTER_DOMAIN}`;
  const network: PodNetwork = {
    attached: attached(spec?.hostNetwork === true, metadata.annotations?.[NETWORK] ?? ''),
    domain,
    hostnameAsFqdn: setHostnameAsFQDN,
    hostAliases: hostAliases.map(({ ip = '', hostnames = [] }) => ({ ip, hostnames })),
    dns: buildDns(spec),
    bandwidth: { ingress: rate(metadata, INGRESS), egress: rate(metadata, EGRESS) },
  };
  return { hostname: hostnameOverride || hostname || truncated(name), network };
}

function attached(toHost: boolean, name: string): Attached {
  if (toHost) return { kind: 'host' };
  if (name === '' || name === 'default') return { kind: 'default' };
  return name === 'none' ? { kind: 'none' } : { kind: 'named', name };
}

function rate({ annotations = {} }: NonNullable<V1Pod['metadata']>, name: string): number | undefined {
  const written = annotations[name];
  return written === undefined ? undefined : Number(divided(nanos(written), '1'));
}

function buildDns(spec: V1Pod['spec']): PodDns {
  const { nameservers = [], searches = [], options = [] } = spec?.dnsConfig ?? {};
  return {
    policy: (spec?.dnsPolicy ?? 'ClusterFirst') as PodDns['policy'],
    nameservers,
    searches,
    options: options.map(({ name = '', value }) => ({ name, value })),
  };
}

/** The name, cut to what a hostname may be (kubelet truncatePodHostnameIfNeeded). */
function truncated(name: string): string {
  return name.length > 63 ? name.slice(0, 63).replace(/[-.]+$/, '') : name;
}
