/** Confinement by AppArmor: what the host can do, and the profile of containers that do not choose another. */
import { existsSync, readFileSync } from 'node:fs';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { type CommandResult, runCommand } from '../sys/command.ts';

/** Name of the profile that containers have by default. */
export const DEFAULT_PROFILE = 'minirt-default';

const SECURITY = '/sys/kernel/security/apparmor';
const PARSER = '/sbin/apparmor_parser';

/** Whether the kernel enforces profiles, and can be given one (containerd: apparmor.HostSupports). */
export function hasAppArmor(): boolean {
  try {
    const enabled = readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y');
    return enabled && existsSync(SECURITY) && existsSync(PARSER);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Whether the kernel has a profile of that name. */
export function isLoaded(profile: string): boolean {
  const loaded = readFileSync(`${SECURITY}/profiles`, 'utf8').split('\n');
  return loaded.some((line) => line.slice(0, line.lastIndexOf(' (')) === profile);
}

/**
 * Everything that does not reach for the host: files, programs and sockets are free, as other walls stand before them;
 * what is closed is what a mistake in those walls would open.
 */
const RULES = `
profile ${DEFAULT_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  file,
  network,
  capability,
  umount,

  # From whoever runs containers, and among themselves.
  signal (receive) peer=unconfined,
  signal (send,receive) peer=${DEFAULT_PROFILE},
  ptrace (trace,read,tracedby,readby) peer=${DEFAULT_PROFILE},

  deny mount,

  # Of /proc only what belongs to processes, and the settings of a pod's own namespaces.
  deny /proc/* w,
  deny /proc/{[^0-9s],s[^ey]}** w,
  deny /proc/sys/[^nkf]** w,
  deny /proc/sys/fs/{[^m],m[^q]}** w,
  deny /proc/sys/kernel/{[^smhd],s[^he],m[^s],h[^o],hot,d[^o]}** w,
  deny /proc/{kcore,kmem,mem,sysrq-trigger} rwklx,

  # Of /sys only its cgroups.
  deny /sys/{[^f],f[^s]}** wklx,
  deny /sys/fs/[^c]** wklx,
  deny /sys/{firmware,devices/virtual/powercap,kernel/security}/** r,
}
`;

/**
 * Gives the kernel the default profile, once for all containers.
 * @throws MinirtError host.unsupported when it does not take it
 */
export async function loadDefaultProfile(signal: AbortSignal): Promise<void> {
  if (isLoaded(DEFAULT_PROFILE)) return;
  const { code, stderr } = await parse(RULES, signal);
  if (code === 0) return;
  throw new MinirtError('host.unsupported', `load AppArmor profile ${DEFAULT_PROFILE}: ${stderr.trim()}`);
}

/** Without a cache on disk: a profile is loaded once a boot. */
async function parse(rules: string, signal: AbortSignal): Promise<CommandResult> {
  try {
    return await runCommand(PARSER, ['--replace', '--skip-cache'], { input: rules, signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new MinirtError('host.unsupported', `run ${PARSER}: ${messageOf(cause)}`, { cause });
  }
}
