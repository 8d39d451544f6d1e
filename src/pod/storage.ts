/** What a pod may write to the host's disk (pkg/kubelet/eviction: localStorageEviction). Pure. */
import type { Container, Pod } from '../manifest/pod.ts';
import { nanos, units, written } from '../manifest/quantity.ts';
import { together } from '../manifest/resource-sum.ts';

const STORAGE = 'ephemeral-storage';

/** Bytes on disk. */
export interface StorageUse {
  /** Of all that goes with the pod: what containers wrote, their logs, and the volumes that end with it. */
  readonly pod: number;
  /** What each main container wrote outside of volumes, and its logs. */
  readonly containers: ReadonlyMap<string, number>;
}

/** Whether anything in the pod has a limit. */
export function limitsStorage({ containers }: Pick<Pod, 'containers'>): boolean {
  return containers.some((one) => limitOf(one) !== undefined);
}

/** Who is over a limit, in the kubelet's words. */
export function overStorage({ containers }: Pick<Pod, 'containers'>, use: StorageUse): string | undefined {
  const sum = together(containers.map(({ role, resources }) => ({ role, amounts: resources.limits }))).get(STORAGE);
  if (sum !== undefined && units(use.pod) > sum) {
    const like = containers.map(limitOf).find((limit) => limit !== undefined) ?? '';
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${written(sum, like)}. `;
  }
  const over = containers.find((one) => {
    const limit = limitOf(one);
    return one.role === 'main' && limit !== undefined && units(use.containers.get(one.name) ?? 0) > nanos(limit);
  });
  if (over === undefined) return undefined;
  return `Container ${over.name} exceeded its local ephemeral storage limit "${limitOf(over) ?? ''}". `;
}

function limitOf({ resources }: Pick<Container, 'resources'>): string | undefined {
  return resources.limits[STORAGE];
}
