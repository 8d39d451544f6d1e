import { hostname } from 'node:os';
import { MinirtError } from '../base/errors.ts';
import type { Pod } from '../manifest/pod.ts';

/** What the kernel holds as a host name (utsname), without the NUL. */
const LONGEST = 64;

/** Whether the pod has the host's network and name instead of its own. */
export function onHost({ network }: Pick<Pod, 'network'>): boolean {
  return network.attached.kind === 'host';
}

/** What `hostname` prints in the pod. */
export function hostnameOf(pod: Pick<Pod, 'hostname' | 'network'>): string {
  return onHost(pod) ? hostname() : kernelHostname(pod);
}

/**
 * The name of a pod with a network of its own: its hostname, with the domain when the pod asks for that.
 * @throws MinirtError with the kubelet's words when that is too long (pkg/kubelet/util: GetNodenameForKernel).
 */
export function kernelHostname({ hostname: name, network }: Pick<Pod, 'hostname' | 'network'>): string {
  if (!network.hostnameAsFqdn || network.domain === '') return name;
  const full = `${name}.${network.domain}`;
  if (full.length <= LONGEST) return full;
  const limit = `(${LONGEST} characters is the max, ${full.length} characters requested)`;
  throw new MinirtError(
    'manifest.invalid',
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long ${limit}`,
  );
}
