import { MinirtError } from '../../base/errors.ts';
import { DEFAULT_PROFILE, hasAppArmor, isLoaded, loadDefaultProfile } from '../../container/apparmor.ts';
import { seccompFilter } from '../../container/seccomp/index.ts';
import type { Container } from '../../manifest/pod.ts';
import { seccompDirs } from '../../state/paths.ts';
import { capabilitiesFor } from '../security.ts';
import type { PodHostPorts } from './host.ts';

/**
 * The file with the seccomp filter of a container's processes, which depends on what they may do.
 * @param ofHost the capabilities that root has here
 * @throws MinirtError config.missing in the kubelet's words; those of seccompFilter and capabilitiesFor
 */
export async function filterOf(
  { roots, signal }: PodHostPorts,
  container: Container,
  ofHost: readonly string[],
): Promise<string | undefined> {
  const { seccomp } = container;
  if (seccomp.kind === 'localhost' && seccomp.file === '') {
    throw new MinirtError('config.missing', 'localhostProfile must be set if seccompProfile type is Localhost.');
  }
  return seccompFilter(seccomp, capabilitiesFor(container, ofHost), seccompDirs(roots), signal);
}

/**
 * The AppArmor profile of a container's processes; undefined: none, or no AppArmor, without which a pod that insists on a
 * profile has been rejected.
 * @throws MinirtError host.unsupported for a profile that is not there, in containerd's words
 */
export async function appArmorOf({ appArmor }: Container, signal: AbortSignal): Promise<string | undefined> {
  if (appArmor.kind === 'unconfined' || !hasAppArmor()) return undefined;
  if (appArmor.kind === 'localhost') {
    if (isLoaded(appArmor.profile)) return appArmor.profile;
    throw new MinirtError('host.unsupported', `apparmor profile not found ${appArmor.profile}`, {
      hint: 'load it with apparmor_parser',
    });
  }
  await loadDefaultProfile(signal);
  return DEFAULT_PROFILE;
}
