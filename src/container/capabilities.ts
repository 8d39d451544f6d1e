import { capabilityNames } from '../base/capability-names.ts';
import { MinirtError } from '../base/errors.ts';

/** Every capability that this version knows, with CAP_. */
export const allCapabilities: readonly string[] = capabilityNames.map((name) => `CAP_${name}`);

/** What a container has when nobody says otherwise: containerd's and Docker's fourteen. */
export const defaultCapabilities: readonly string[] = [
  'CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP',
  'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE',
].map((name) => `CAP_${name}`); // prettier-ignore

/** The names, with CAP_, of the bits of a mask. */
export function capabilitiesIn(mask: bigint): readonly string[] {
  return allCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

/**
 * The bit mask of a set of names with CAP_.
 * @throws MinirtError host.unsupported for a name that is unknown
 */
export function capabilityMask(set: readonly string[]): bigint {
  return set.reduce((mask, name) => {
    const bit = allCapabilities.indexOf(name);
    if (bit < 0) throw new MinirtError('host.unsupported', `set capabilities: ${name}: there is none of this name`);
    return mask | (1n << BigInt(bit));
  }, 0n);
}
