/** Kinds of resources by their names (pkg/apis/core/helper). Pure. */
import { qualifiedNameComplaints } from './names.ts';
import { nanos } from './quantity.ts';

const OF_CONTAINERS = ['cpu', 'memory', 'ephemeral-storage'];

/** What quotas count, too. */
const STANDARD = [
  ...OF_CONTAINERS,
  ...['requests.cpu', 'requests.memory', 'requests.ephemeral-storage', 'limits.cpu', 'limits.memory'],
  ...['limits.ephemeral-storage', 'pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets'],
  ...['configmaps', 'persistentvolumeclaims', 'storage', 'requests.storage', 'services.nodeports'],
  'services.loadbalancers',
];

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Bytes of one page of `hugepages-2Mi`; undefined when the name has no size. */
export function pageSize(name: string): bigint | undefined {
  try {
    const size = nanos(name.slice('hugepages-'.length)) / 1_000_000_000n;
    return size > 0n ? size : undefined;
  } catch {
    return undefined;
  }
}

/** What a container can ask for without a prefix. */
export function isOfContainers(name: string): boolean {
  return OF_CONTAINERS.includes(name) || isHugePages(name);
}

export function isStandard(name: string): boolean {
  return STANDARD.includes(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

/** Kubernetes' own, not somebody's device. */
export function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** Something that a device plugin offers: `example.com/gpu`. */
export function isExtended(name: string): boolean {
  if (isNative(name) || name.startsWith('requests.')) return false;
  return qualifiedNameComplaints(`requests.${name}`).length === 0;
}

/** Whether a request may be less than the limit. */
export function overcommits(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}
