/** Which settings of the kernel a pod may have for its own (k8s.io/component-helpers: sysctl; pkg/kubelet/sysctl). Pure. */

/** SysctlMaxLength */
const LONGEST = 253;
const SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
/** SysctlContainSlashFmt */
const FORMAT = `(${SEGMENT}[\\./])*${SEGMENT}`;

/** What a kubelet lets every pod set (safe_sysctls.go). */
const SAFE: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

/** With dots between its parts, whatever it is written with: the first separator says which is one (NormalizeName). */
export function normaliseSysctl(name: string): string {
  if (/^[^./]*\//.test(name)) return name.replaceAll(/[./]/g, (char) => (char === '/' ? '.' : '/'));
  return name;
}

export function sysctlComplaints(name: string): readonly string[] {
  if (name.length <= LONGEST && new RegExp(`^${FORMAT}$`).test(name)) return [];
  return [`must have at most ${LONGEST} characters and match regex ^${FORMAT}$`];
}

export function isSafeSysctl(name: string): boolean {
  return SAFE.has(normaliseSysctl(name));
}

/** Whose setting it is; undefined: that of the whole host. */
export function sysctlNamespace(name: string): 'ipc' | 'net' | undefined {
  const plain = normaliseSysctl(name);
  if (plain.startsWith('net.')) return 'net';
  const ipc = ['kernel.shm', 'kernel.msg', 'fs.mqueue.'].some((prefix) => plain.startsWith(prefix));
  return ipc || plain === 'kernel.sem' ? 'ipc' : undefined;
}
