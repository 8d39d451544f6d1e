/** Requests that were not written (pkg/apis/core/v1/defaults.go: SetDefaults_Pod, defaultPodRequests). Pure. */
import type { Container } from 'kubernetes-types/core/v1.js';
import type { NewerPodSpec } from './newer.ts';
import { written } from './quantity.ts';
import { type Part, together } from './resource-sum.ts';
import { isHugePages, overcommits } from './resource-name.ts';

type Amounts = Readonly<Record<string, string>>;

/** Who has a limit and says no request asks for as much as the limit. */
export function withRequests(container: Container): Container {
  const { resources } = container;
  if (resources?.limits === undefined) return container;
  return { ...container, resources: { ...resources, requests: { ...resources.limits, ...resources.requests } } };
}

/** What is said of the whole pod is completed from what its containers say, which have their requests by now. */
export function withPodRequests<Spec extends NewerPodSpec>(spec: Spec): Spec {
  const { resources } = spec;
  if (resources === undefined) return spec;
  const huge = filtered(containersTogether(spec, 'limits'), isHugePages);
  const limits = { ...huge, ...resources.limits };
  if (Object.keys(limits).length === 0) return spec;
  const asked = filtered(containersTogether(spec, 'requests'), (name) => isOfPods(name) && overcommits(name));
  return { ...spec, resources: { ...resources, limits, requests: { ...limits, ...asked, ...resources.requests } } };
}

/** Whether something can be said of a whole pod (IsSupportedPodLevelResource). */
export function isOfPods(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name);
}

/** What the containers ask for together, in the notation of the first of them. */
export function containersTogether(spec: Partial<NewerPodSpec>, kind: 'limits' | 'requests'): Amounts {
  const parts = partsOf(spec, kind);
  const like = (name: string): string => parts.find(({ amounts }) => Object.hasOwn(amounts, name))?.amounts[name] ?? '';
  return Object.fromEntries([...together(parts)].map(([name, amount]) => [name, written(amount, like(name))]));
}

function partsOf({ initContainers = [], containers = [] }: Partial<NewerPodSpec>, kind: 'limits' | 'requests'): Part[] {
  const amounts = (container: Partial<Container>): Amounts => ({
    ...container.resources?.limits,
    ...(kind === 'requests' ? container.resources?.requests : {}),
  });
  return [
    ...initContainers.map((one): Part => ({
      role: one.restartPolicy === 'Always' ? 'sidecar' : 'init',
      amounts: amounts(one),
    })),
    ...containers.map((one): Part => ({ role: 'main', amounts: amounts(one) })),
  ];
}

function filtered(amounts: Amounts, wanted: (name: string) => boolean): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => wanted(name)));
}
