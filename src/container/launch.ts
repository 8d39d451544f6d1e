import { readdir } from 'node:fs/promises';
import type { Op } from '../helper/plan.ts';
import { capabilityMask } from './capabilities.ts';
import type { ContainerCgroup, ContainerPlace } from './runtime.ts';
import type { ContainerSpec, DeviceNode, Mount, ProcessSpec } from './spec.ts';

/** The whole launch plan of a container, in the order in which the helper carries it out. */
export async function launchPlan(
  spec: ContainerSpec,
  place: ContainerPlace,
  cgroup: ContainerCgroup,
): Promise<readonly Op[]> {
  const privileged = spec.privileged === true;
  return [
    ['pod', spec.owner],
    ['container', spec.id],
    ['socket', place.socket],
    ['record', place.record],
    ['log', spec.log],
    ...cgroupOps(cgroup),
    ...namespaceOps(spec, cgroup),
    ['store', spec.rootfs.store],
    ['overlay', spec.rootfs.layers.join(':'), place.upper, place.work, ''],
    ...withoutReplaced(defaultFileSystems(spec, cgroup), spec.mounts),
    ...deviceFiles,
    ...(spec.devices ?? []).map(deviceOp),
    ...spec.mounts.map(mountOp),
    ...(privileged || spec.unmasked === true ? [] : await protectedPaths()),
    ...(spec.readonlyRootfs ? [['readonly-rootfs'] as const] : []),
    ...processOps(spec.process),
  ];
}

function cgroupOps(cgroup: ContainerCgroup): readonly Op[] {
  return [
    ...(cgroup.cgroup2 === undefined ? [] : [['cgroup2', cgroup.cgroup2] as const]),
    ...cgroup.cgroup1.map((dir): Op => ['cgroup1', dir]),
    // Without a cgroup2 directory there is nothing to attach the rules to; the caller drops CAP_MKNOD then.
    ['devices', cgroup.cgroup2 === undefined ? 'all' : cgroup.devices],
  ];
}

function namespaceOps(spec: ContainerSpec, cgroup: ContainerCgroup): readonly Op[] {
  const joins = Object.entries(spec.namespaces) as [string, string][];
  return [
    ...(spec.namespaces.pid === undefined ? [['new', 'pid'] as const] : []),
    ...(cgroup.cgroup2 === undefined && !cgroup.shown?.length ? [] : [['new', 'cgroup'] as const]),
    ...joins.filter(([, path]) => path !== 'host').map(([kind, path]): Op => ['join', kind, path]),
  ];
}

/** The group of terminals on every distribution. */
const TTY_GROUP = 5;

/** runtime-spec "Default Filesystems" with the options that Docker and containerd use. */
function defaultFileSystems(spec: ContainerSpec, cgroup: ContainerCgroup): readonly Op[] {
  const access = spec.privileged === true ? '' : 'ro,';
  const tty = TTY_GROUP + (spec.process.users?.first ?? 0);
  return [
    ['mount', 'proc', 'proc', '/proc', 'nosuid,nodev,noexec', ''],
    ['mount', 'tmpfs', 'tmpfs', '/dev', 'nosuid', 'mode=755,size=65536k'],
    ['mount', 'devpts', 'devpts', '/dev/pts', 'nosuid,noexec', `newinstance,ptmxmode=0666,mode=0620,gid=${tty}`],
    ['mount', 'mqueue', 'mqueue', '/dev/mqueue', 'nosuid,nodev,noexec', ''],
    ['mount', 'tmpfs', 'shm', '/dev/shm', 'nosuid,nodev,noexec', 'mode=1777,size=65536k'],
    ['mount', 'sysfs', 'sysfs', '/sys', `${access}nosuid,nodev,noexec`, ''],
    ...cgroupMounts(cgroup, `${access}nosuid,nodev,noexec,relatime`),
  ];
}

/** Of the container's own cgroup namespace, so they show its own folders and nothing above them. */
function cgroupMounts({ cgroup2, shown = [] }: ContainerCgroup, flags: string): readonly Op[] {
  const unified = (target: string): readonly Op[] =>
    cgroup2 === undefined ? [] : [['mount', 'cgroup2', 'cgroup', target, flags, '']];
  if (shown.length === 0) return unified('/sys/fs/cgroup');
  return [
    ['mount', 'tmpfs', 'tmpfs', '/sys/fs/cgroup', 'nosuid,nodev,noexec,relatime', 'mode=755'],
    ...shown.flatMap((names): readonly Op[] => {
      const all = names.join(',');
      const links = names.length > 1 ? names.map((name): Op => ['symlink', all, `/sys/fs/cgroup/${name}`]) : [];
      return [['mount', 'cgroup', 'cgroup', `/sys/fs/cgroup/${all}`, flags, all], ...links];
    }),
    ...unified('/sys/fs/cgroup/unified'),
  ];
}

/**
 * Without those that a mount of the container's own replaces, as in containerd; what else it is put on, it covers: the
 * helper must find proc on /proc, to keep everything off it.
 */
function withoutReplaced(defaults: readonly Op[], mounts: readonly Mount[]): readonly Op[] {
  const replaced = new Set(mounts.map(({ target }) => target));
  const mayGo = (target: string): boolean => target === '/dev/shm' || target === '/dev/mqueue';
  return defaults.filter(([, , , target = '']) => !(mayGo(target) && replaced.has(target)));
}

/** runtime-spec "Default Devices"; /dev/console is made by the helper when there is a terminal. */
const deviceFiles: readonly Op[] = [
  ['node', '/dev/null', 'c', '1', '3', '666'],
  ['node', '/dev/zero', 'c', '1', '5', '666'],
  ['node', '/dev/full', 'c', '1', '7', '666'],
  ['node', '/dev/random', 'c', '1', '8', '666'],
  ['node', '/dev/urandom', 'c', '1', '9', '666'],
  ['node', '/dev/tty', 'c', '5', '0', '666'],
  ['symlink', 'pts/ptmx', '/dev/ptmx'],
  ['symlink', '/proc/self/fd', '/dev/fd'],
  ['symlink', '/proc/self/fd/0', '/dev/stdin'],
  ['symlink', '/proc/self/fd/1', '/dev/stdout'],
  ['symlink', '/proc/self/fd/2', '/dev/stderr'],
];

function deviceOp({ path, type, major, minor, mode }: DeviceNode): Op {
  return ['node', path, type, String(major), String(minor), mode.toString(8)];
}

function mountOp(mount: Mount): Op {
  const flags = mount.flags.join(',');
  if (mount.kind === 'bind') {
    const { source, part, target } = mount;
    return part === undefined ? ['bind', source, target, flags] : ['bind-part', source, part, target, flags];
  }
  if (mount.kind === 'layers') {
    const { rootfs, part = '', target } = mount;
    return ['layers', rootfs.store, rootfs.layers.join(':'), part, target, flags];
  }
  return ['mount', mount.type, mount.source, mount.target, flags, mount.data];
}

/** Hidden in every container that is not privileged: Docker's list. */
const maskedPaths = [
  '/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats',
  '/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats', '/sys/devices/virtual/powercap',
  '/sys/firmware',
] as const; // prettier-ignore

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const;

async function protectedPaths(): Promise<readonly Op[]> {
  const cpus = await readdir('/sys/devices/system/cpu').catch(() => []);
  const throttles = cpus
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `/sys/devices/system/cpu/${name}/thermal_throttle`);
  return [
    ...[...maskedPaths, ...throttles].map((path): Op => ['mask', path]),
    ...readonlyPaths.map((path): Op => ['readonly', path]),
  ];
}

export function processOps(spec: ProcessSpec): readonly Op[] {
  const { user, users } = spec;
  return [
    ...(spec.terminal ? [['terminal'] as const] : []),
    ...(spec.stdin ? [['stdin'] as const] : []),
    ...spec.args.map((word): Op => ['arg', word]),
    ...spec.env.map((word): Op => ['env', word]),
    ['cwd', spec.cwd],
    ...(users === undefined ? [] : [['users', String(users.first), String(users.count)] as const]),
    ['uid', String(user.uid)],
    ['gid', String(user.gid)],
    ...user.groups.map((group): Op => ['group', String(group)]),
    capabilityOp(spec),
    ...(spec.oomScoreAdj === undefined ? [] : [['oom-score-adj', String(spec.oomScoreAdj), 'preferred'] as const]),
    ...(spec.noNewPrivileges ? [['no-new-privs'] as const] : []),
    ...(spec.appArmor === undefined ? [] : [['apparmor', spec.appArmor] as const]),
    ...(spec.seccomp === undefined ? [] : [['seccomp', spec.seccomp] as const]),
  ];
}

/** Inheritable and ambient stay empty (CVE-2022-24769); who is not root has none in effect. */
export function capabilityOp(spec: Pick<ProcessSpec, 'capabilities' | 'user'>): Op {
  const bounding = capabilityMask(spec.capabilities).toString(16);
  const effective = spec.user.uid === 0 ? bounding : '0';
  return ['caps', bounding, effective, effective, '0', '0'];
}
