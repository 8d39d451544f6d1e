import type { PodSecurityContext } from 'kubernetes-types/core/v1.js';
import type { Container, V1Container } from './pod.ts';

/**
 * What the kernel is to refuse a container's processes: the container's word, else the pod's, else RuntimeDefault. A
 * privileged container is not confined (containerd, internal/cri/server: generateSeccompSpecOpts).
 */
export function buildConfinement(
  pod: PodSecurityContext | undefined,
  container: V1Container,
): Pick<Container, 'seccomp'> {
  const own = container.securityContext;
  const { type = 'RuntimeDefault', localhostProfile: file = '' } = own?.seccompProfile ?? pod?.seccompProfile ?? {};
  if (own?.privileged === true || type === 'Unconfined') return { seccomp: { kind: 'unconfined' } };
  return { seccomp: type === 'Localhost' ? { kind: 'localhost', file } : { kind: 'runtimeDefault' } };
}
