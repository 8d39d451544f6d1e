/** What a manifest says of users and privileges, in Linux terms. Pure. */
import { capabilityNames, normaliseCapability } from '../base/capability-names.ts';
import { MinirtError } from '../base/errors.ts';
import { allCapabilities, defaultCapabilities } from '../container/capabilities.ts';
import type { Credentials, IdRange } from '../container/spec.ts';
import { resolveUser } from '../container/users.ts';
import type { Container, Pod } from '../manifest/pod.ts';

export interface Accounts {
  /** The image's USER. */
  readonly user: string;
  /** The image's /etc/passwd and /etc/group. */
  readonly passwd: string;
  readonly group: string;
}

/**
 * Who the process of a container is (containerd's user options; kubelet: convertToRuntimeSecurityContext).
 * @throws MinirtError image.invalid for a user that the image does not have
 */
export function credentialsFor(pod: Pod, { security }: Container, { user, passwd, group }: Accounts): Credentials {
  // The kubelet passes on the user of `user:group` alone.
  const [own = ''] = user.split(':');
  const asked = security.runAsUser === undefined ? own : String(security.runAsUser);
  const found = resolveUser(asked, passwd, group, security.runAsGroup);
  const { supplementalGroups, fsGroup, mergesGroups } = pod.security;
  const merged = mergesGroups ? found.groups : [found.gid];
  const groups = new Set([...merged, ...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])]);
  return { ...found, groups: [...groups] };
}

/**
 * Refuses to run as root who must not (kubelet: verifyRunAsNonRoot). Looked at before every start: an image may have
 * changed.
 * @throws MinirtError config.refused in the kubelet's words
 */
export function verifyNonRoot(pod: Pod, container: Container, { user }: Pick<Accounts, 'user'>, uid: string): void {
  const { runAsNonRoot, runAsUser } = container.security;
  if (!runAsNonRoot) return;
  const where = `(pod: "${pod.name}_${pod.namespace}(${uid})", container: ${container.name})`;
  const refuse = (why: string): never => {
    throw new MinirtError('config.refused', `${why} ${where}`);
  };
  if (runAsUser === 0) refuse("container's runAsUser breaks non-root policy");
  if (runAsUser !== undefined) return;
  const [name = ''] = user.split(':');
  if (name === '' || /^0+$/.test(name)) refuse('container has runAsNonRoot and image will run as root');
  if (!/^\d+$/.test(name)) {
    refuse(`container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root`);
  }
}

/**
 * Refuses who has an id that the pod's user namespace does not have: 0 to `count` - 1.
 * @throws MinirtError config.refused
 */
export function verifyMapped({ uid, gid, groups }: Credentials, { count }: Pick<IdRange, 'count'>): void {
  const [id] = [uid, gid, ...groups].filter((one) => one >= count);
  if (id === undefined) return;
  throw new MinirtError('config.refused', `id ${id} is outside the pod's user namespace, which has 0 to ${count - 1}`, {
    hint: 'choose a lower one, or leave hostUsers out',
  });
}

/**
 * Capabilities of a container, with CAP_ (containerd: WithCapabilities). `ofHost`: those that root has here; more cannot
 * be given, whoever asks for all.
 * @throws MinirtError host.unsupported for one that is asked for by name and not there
 */
export function capabilitiesFor(
  { security }: Pick<Container, 'security'>,
  ofHost: readonly string[],
): readonly string[] {
  if (security.privileged) return ofHost;
  const add = security.capabilities.add.map(normaliseCapability);
  const drop = new Set(security.capabilities.drop.map(normaliseCapability));
  // Of both at once the drop counts, as with single ones.
  const wanted = new Set(drop.has('ALL') ? [] : add.includes('ALL') ? ofHost : defaultCapabilities);
  for (const name of add) {
    if (name === 'ALL') continue;
    if (!ofHost.includes(`CAP_${name}`)) {
      throw new MinirtError('host.unsupported', `add capability: CAP_${name}: root does not have it on this host`, {
        hint: 'remove it from the manifest, or run minirt with all capabilities',
      });
    }
    wanted.add(`CAP_${name}`);
  }
  // What root lacks is no loss that anybody could see.
  return allCapabilities.filter((name, i) => {
    return wanted.has(name) && ofHost.includes(name) && !drop.has(capabilityNames[i] ?? '');
  });
}
