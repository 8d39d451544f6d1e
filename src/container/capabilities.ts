import { MinirtError } from '../base/errors.ts';

/** Capabilities in the kernel's order: the index is the bit (include/uapi/linux/capability.h). */
const names = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP',
  'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER',
  'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE',
  'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP',
  'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF',
  'CHECKPOINT_RESTORE',
] as const; // prettier-ignore

/** Every capability that this version knows, with CAP_. */
export const allCapabilities: readonly string[] = names.map((name) => `CAP_${name}`);

/** What a container has when nobody says otherwise: containerd's and Docker's fourteen. */
export const defaultCapabilities: readonly string[] = [
  'CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP',
  'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE',
].map((name) => `CAP_${name}`); // prettier-ignore

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
