/** Who the process of a container is and what it may do, with what the pod says for all of them put in. */
import type { PodSecurityContext, SecurityContext } from 'kubernetes-types/core/v1.js';

export interface ContainerSecurity {
  /** undefined: as the image says. */
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly runAsNonRoot: boolean;
  readonly privileged: boolean;
  /** False sets no_new_privs. */
  readonly allowPrivilegeEscalation: boolean;
  readonly readOnlyRootFilesystem: boolean;
  /** `procMount: Unmasked`: nothing of /proc is hidden. */
  readonly unmasked: boolean;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
}

export interface PodSecurity {
  readonly supplementalGroups: readonly number[];
  /** Whether a user's groups in the image's /etc/group count too. */
  readonly mergesGroups: boolean;
  /** The group of the pod's volumes, and one of every process. */
  readonly fsGroup: number | undefined;
  /** Whether volumes whose root has the right owner and mode are taken to be right all through. */
  readonly fsGroupOnMismatchOnly: boolean;
  /** Settings of the pod's namespaces, as they are written. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
}

type NewerPodSecurity = PodSecurityContext & { readonly supplementalGroupsPolicy?: string };

export function buildPodSecurity(context: NewerPodSecurity = {}): PodSecurity {
  const { supplementalGroups = [], supplementalGroupsPolicy, fsGroup, fsGroupChangePolicy, sysctls = [] } = context;
  return {
    supplementalGroups,
    mergesGroups: supplementalGroupsPolicy !== 'Strict',
    fsGroup,
    fsGroupOnMismatchOnly: fsGroupChangePolicy === 'OnRootMismatch',
    sysctls: sysctls.map(({ name, value }) => ({ name, value })),
  };
}

/** The container's own word goes before the pod's, field by field (securitycontext.DetermineEffectiveSecurityContext). */
export function buildSecurity(own: SecurityContext = {}, pod: PodSecurityContext = {}): ContainerSecurity {
  return {
    runAsUser: own.runAsUser ?? pod.runAsUser,
    runAsGroup: own.runAsGroup ?? pod.runAsGroup,
    runAsNonRoot: own.runAsNonRoot ?? pod.runAsNonRoot ?? false,
    privileged: own.privileged ?? false,
    allowPrivilegeEscalation: own.allowPrivilegeEscalation ?? true,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    unmasked: own.procMount === 'Unmasked',
    capabilities: { add: own.capabilities?.add ?? [], drop: own.capabilities?.drop ?? [] },
  };
}
