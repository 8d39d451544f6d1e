import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { allCapabilities, capabilitiesIn } from '../../container/capabilities.ts';
import type { Cgroups } from '../../container/cgroup.ts';
import { ownCapabilities } from '../../sys/capabilities.ts';
import type { Node } from '../../sys/node.ts';
import { nanos, units } from '../../manifest/quantity.ts';
import { together } from '../../manifest/resource-sum.ts';
import type { Pod } from '../../manifest/pod.ts';
import { oomScoreAdj, podLimitsOf } from '../resources.ts';

/**
 * The capabilities that containers of a pod can be given here: all, where they are worth something in its user namespace
 * only; else those of root, but without device rules nobody may make a device to open.
 */
export function givenCapabilities(
  { ownUsers }: Pick<Pod, 'ownUsers'>,
  cgroups: Pick<Cgroups, 'describe'>,
  own = ownCapabilities(),
): readonly string[] {
  if (ownUsers) return allCapabilities;
  const all = capabilitiesIn(own);
  return cgroups.describe().devices === 'none' ? all.filter((name) => name !== 'CAP_MKNOD') : all;
}

/** What a pod wishes and this host cannot give, a line each; what it demands is an error when its containers are made. */
export function unmetWishes(pod: Pod, cgroups: Cgroups, node: Node): readonly string[] {
  const { controllers, devices, mode } = cgroups.describe();
  const weighted = podLimitsOf(pod)?.cpuShares !== undefined;
  const lowest = Math.min(...pod.containers.map((one) => oomScoreAdj(pod, one, totalmem())));
  const asked = together(pod.containers.map(({ role, resources }) => ({ role, amounts: resources.requests })));
  const whole = { cpu: units(node.cpus), memory: units(node.memory), 'ephemeral-storage': units(node.storage) };
  const beyond = Object.entries(whole).filter(([name, all]) => {
    const own = pod.resources?.requests[name];
    return (own === undefined ? (asked.get(name) ?? 0n) : nanos(own)) > all;
  });
  return [
    ...(weighted && !controllers.includes('cpu')
      ? [`requests.cpu has no effect: this host (cgroup ${mode}) has no cpu controller`]
      : []),
    ...(devices === 'none' ? ['no CAP_MKNOD: this host has neither cgroup2 nor a v1 devices controller'] : []),
    ...(mayHave(lowest) ? [] : [`oom_score_adj ${lowest} is left out: minirt lacks CAP_SYS_RESOURCE here`]),
    ...beyond.map(
      ([name]) => `requests.${name} is more than this host has: a scheduler would not have sent the pod here`,
    ),
  ];
}

/** Whether this process may give a child of its own that oom_score_adj: lowering it takes a capability. */
function mayHave(adj: number): boolean {
  if (adj >= Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))) return true;
  return capabilitiesIn(ownCapabilities()).includes('CAP_SYS_RESOURCE');
}
