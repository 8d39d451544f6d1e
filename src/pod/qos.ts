import type { Pod, Resources } from '../manifest/pod.ts';
import { nanos } from '../manifest/quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'] as const;

/** How sure a pod is of what it asks for (pkg/apis/core/v1/helper/qos: ComputePodQOS). */
export function qosClass({ resources, containers }: Pick<Pod, 'resources' | 'containers'>): QosClass {
  const all = resources === undefined ? containers.map((one) => one.resources) : [resources];
  const sums = { limits: summed(all, 'limits'), requests: summed(all, 'requests') };
  if (sums.limits.size === 0 && sums.requests.size === 0) return 'BestEffort';
  const limited = all.every(({ limits }) => COUNTED.every((name) => amount(limits, name) > 0n));
  const same = COUNTED.every((name) => sums.requests.get(name) === sums.limits.get(name));
  return limited && same ? 'Guaranteed' : 'Burstable';
}

function summed(all: readonly Resources[], kind: 'limits' | 'requests'): ReadonlyMap<string, bigint> {
  const sums = COUNTED.map((name): [string, bigint] => [
    name,
    all.reduce((sum, resources) => sum + amount(resources[kind], name), 0n),
  ]);
  return new Map(sums.filter(([, sum]) => sum > 0n));
}

function amount(amounts: Readonly<Record<string, string>>, name: string): bigint {
  return nanos(amounts[name] ?? '0');
}
