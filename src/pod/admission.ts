/** What keeps a pod from being run on this host at all (pkg/kubelet/lifecycle, pkg/kubelet/sysctl). Pure. */
import type { Pod } from '../manifest/pod.ts';
import { isSafeSysctl } from '../manifest/sysctl.ts';

/** Why a pod fails before anything of it is begun: reason of its status and of an event, and the event's text. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export interface HostFacts {
  /** Whether containers can be confined by AppArmor here. */
  readonly appArmor: boolean;
}

export function rejection(pod: Pod, { appArmor }: HostFacts): Rejection | undefined {
  const forbidden = pod.security.sysctls.find(({ name }) => !isSafeSysctl(name));
  if (forbidden !== undefined) {
    return {
      reason: 'SysctlForbidden',
      message: `forbidden sysctl: ${JSON.stringify(forbidden.name)} not allowlisted`,
    };
  }
  const demanded = pod.containers.some((container) => container.appArmor.demanded);
  if (demanded && !appArmor) {
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
  }
  return undefined;
}
