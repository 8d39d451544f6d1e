/** What resources in a manifest mean for the kernel (pkg/kubelet/cm, pkg/kubelet/qos, kuberuntime_container_linux.go). Pure. */
import type { Limits } from '../container/cgroup/limits.ts';
import type { Container, Pod, Resources } from '../manifest/pod.ts';
import { nanos } from '../manifest/quantity.ts';
import { isHugePages, pageSize } from '../manifest/resource-name.ts';
import { type Amounts, counted, together } from '../manifest/resource-sum.ts';
import { qosClass } from './qos.ts';

const NANO = 1_000_000_000n;

/** The cgroup of a pod, and that of one of its containers in it. */
export interface PodLimits {
  readonly pod: Limits;
  readonly container: Limits;
}

/** Undefined: nothing in the pod asks for anything that a cgroup could give or keep. */
export function limitsOf(pod: Pod, container: Container): PodLimits | undefined {
  const asked = askedIn(pod);
  return asked && { pod: linuxLimits(ofPod(pod), asked), container: linuxLimits(ofContainer(pod, container), asked) };
}

/** The cgroup of the pod; undefined as for {@link limitsOf}. */
export function podLimitsOf(pod: Pod): Limits | undefined {
  const asked = askedIn(pod);
  return asked && linuxLimits(ofPod(pod), asked);
}

/** What anything in a pod asks for concerns all of it. */
interface AskedIn {
  /** Whether it is CPU time. */
  readonly weighted: boolean;
  /** Bytes of the huge pages. */
  readonly sizes: readonly bigint[];
}

function askedIn(pod: Pod): AskedIn | undefined {
  const all = [pod.resources, ...pod.containers.map(({ resources }) => resources)];
  const names = all.flatMap((one) => [...Object.keys(one?.limits ?? {}), ...Object.keys(one?.requests ?? {})]);
  const weighted = names.includes('cpu');
  const sizes = names.filter(isHugePages).flatMap((name) => pageSize(name) ?? []);
  return weighted || names.includes('memory') || sizes.length > 0 ? { weighted, sizes } : undefined;
}

interface Asked {
  readonly limits: Amounts;
  readonly requests: Amounts;
}

/** A limit that only the pod has holds for each of its containers. */
function ofContainer(pod: Pod, { resources }: Container): Asked {
  const limits = {
    ...filtered(pod.resources?.limits ?? {}, (name) => name === 'cpu' || name === 'memory'),
    ...resources.limits,
  };
  return { limits: counted(limits), requests: counted({ ...resources.limits, ...resources.requests }) };
}

/** A limit of the whole pod is there when it says so itself, or when each of its containers has one (ResourceConfigForPod). */
function ofPod(pod: Pod): Asked {
  const own = { limits: counted(pod.resources?.limits ?? {}), requests: counted(pod.resources?.requests ?? {}) };
  const sum = (of: (resources: Resources) => Readonly<Record<string, string>>): Amounts =>
    together(pod.containers.map(({ role, resources }) => ({ role, amounts: of(resources) })));
  const all = sum(({ limits }) => limits);
  const declared = (name: string): boolean =>
    isHugePages(name) || pod.containers.every(({ resources }) => nanos(resources.limits[name] ?? '0') > 0n);
  return {
    limits: new Map([...[...all].filter(([name]) => declared(name)), ...own.limits]),
    requests: new Map([...sum(({ requests }) => requests), ...own.requests]),
  };
}

function linuxLimits({ limits, requests }: Asked, { weighted, sizes }: AskedIn): Limits {
  const cpu = milli(limits.get('cpu') ?? 0n);
  const memory = whole(limits.get('memory') ?? 0n);
  const request = requests.get('cpu') ?? limits.get('cpu') ?? 0n;
  const pages = [...limits]
    .filter(([name]) => isHugePages(name))
    .map(([name, amount]) => [pageSize(name), whole(amount)]);
  return {
    cpuShares: weighted ? cpuShares(milli(request)) : undefined,
    cpuQuota: cpu === 0n ? undefined : cpuQuota(cpu),
    memory: memory === 0n ? undefined : memory,
    hugePages:
      sizes.length === 0
        ? undefined
        : new Map(sizes.map((size) => [size, pages.find(([of]) => of === size)?.[1] ?? 0n])),
  };
}

/** MilliCPUToShares */
export function cpuShares(milliCpu: bigint): number {
  return Math.min(Math.max(Number((milliCpu * 1024n) / 1000n), 2), 262144);
}

/** milliCPUToQuota, for a period of 100 ms. */
export function cpuQuota(milliCpu: bigint): number {
  return Math.max(Number(milliCpu) * 100, 1000);
}

/**
 * Who goes first when the host runs out of memory (pkg/kubelet/qos: GetContainerOOMScoreAdjust). `memory`: bytes of the
 * host.
 */
export function oomScoreAdj(pod: Pod, container: Container, memory: number): number {
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const score = (one: Container): number => {
    const bytes = memoryRequest(one) + restOfPod(pod);
    return 1000 - Number((1000n * bytes) / BigInt(memory));
  };
  const mains = pod.containers.filter(({ role }) => role === 'main');
  const own = score(container);
  // A sidecar is not to go before those that it is there for.
  const adj = container.role === 'sidecar' ? Math.min(own, ...mains.map(score)) : own;
  return Math.min(Math.max(adj, 3), 999);
}

/** What the pod asks for beyond its containers, in equal parts. */
function restOfPod({ resources, containers }: Pod): bigint {
  const asked = resources?.requests['memory'];
  const lasting = containers.filter(({ role }) => role !== 'init');
  if (asked === undefined || lasting.length === 0) return 0n;
  const own = lasting.reduce((sum, one) => sum + memoryRequest(one), 0n);
  const rest = whole(nanos(asked)) - own;
  return rest > 0n ? rest / BigInt(lasting.length) : 0n;
}

function memoryRequest({ resources }: Container): bigint {
  return whole(nanos(resources.requests['memory'] ?? resources.limits['memory'] ?? '0'));
}

function filtered<T>(map: Readonly<Record<string, T>>, wanted: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => wanted(name)));
}

/** Thousandths of a CPU, rounded up (Quantity.MilliValue). */
function milli(amount: bigint): bigint {
  return (amount + 999_999n) / 1_000_000n;
}

/** Units, rounded up (Quantity.Value). */
function whole(amount: bigint): bigint {
  return (amount + NANO - 1n) / NANO;
}
