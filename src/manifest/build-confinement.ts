import type { PodSecurityContext, SecurityContext } from 'kubernetes-types/core/v1.js';
import type { AppArmor, Container, SeccompProfile, V1Container } from './pod.ts';

/**
 * What the kernel is to refuse a container's processes: the container's word, else the pod's, else RuntimeDefault. A
 * privileged container is not confined (containerd, internal/cri/server: generateSeccompSpecOpts, generateApparmorSpecOpts).
 */
export function buildConfinement(
  pod: PodSecurityContext | undefined,
  container: V1Container,
): Pick<Container, 'seccomp' | 'appArmor'> {
  const own: SecurityContext | undefined = container.securityContext;
  return { seccomp: seccompOf(own, pod), appArmor: appArmorOf(own, pod) };
}

function seccompOf(own: SecurityContext | undefined, pod: PodSecurityContext | undefined): SeccompProfile {
  const { type = 'RuntimeDefault', localhostProfile: file = '' } = own?.seccompProfile ?? pod?.seccompProfile ?? {};
  if (own?.privileged === true || type === 'Unconfined') return { kind: 'unconfined' };
  return type === 'Localhost' ? { kind: 'localhost', file } : { kind: 'runtimeDefault' };
}

function appArmorOf(own: SecurityContext | undefined, pod: PodSecurityContext | undefined): AppArmor {
  const written = own?.appArmorProfile ?? pod?.appArmorProfile;
  const { type = 'RuntimeDefault', localhostProfile: profile = '' } = written ?? {};
  const demanded = written !== undefined && type !== 'Unconfined';
  if (own?.privileged === true || type === 'Unconfined') return { kind: 'unconfined', demanded };
  return type === 'Localhost' ? { kind: 'localhost', profile, demanded } : { kind: 'runtimeDefault', demanded };
}
