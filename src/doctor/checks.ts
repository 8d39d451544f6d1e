import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { isErrno, messageOf } from '../base/errors.ts';
import { hostHierarchies } from '../container/cgroup/census.ts';
import { Controllers } from '../container/cgroup/controllers.ts';
import { attachedPods, checkPod } from '../network/index.ts';
import { findPlugin } from '../network/plugins.ts';
import type { Roots } from '../state/paths.ts';
import { runCommand } from '../sys/command.ts';
import { MAPPED_TMPFS, kernelIsAtLeast, underSystemd } from '../sys/host.ts';

/** One thing that minirt needs of the host. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** What a check found; the caller adds the name. */
type Finding = Omit<Check, 'name'>;

/** How long asking about one pod may take. */
const CHECK_LIMIT_MS = 10_000;

const KERNEL_FLOOR = [5, 15] as const;

/** statfs(2) of an overlay, which can hold layers but not the upper folder of another. */
const OVERLAYFS_MAGIC = 0x794c7630;

/** Capabilities that root may lack in a container, with what is lost without them. */
const capabilities: readonly (readonly [bit: bigint, name: string, loss: string | undefined])[] = [
  [12n, 'CAP_NET_ADMIN', undefined],
  [21n, 'CAP_SYS_ADMIN', undefined],
  [24n, 'CAP_SYS_RESOURCE', 'rlimits cannot be raised, oom_score_adj cannot be lowered'],
  [27n, 'CAP_MKNOD', undefined],
];

export function checkRoot(): Finding {
  if (process.getuid?.() !== 0) {
    return { ok: false, detail: `uid ${process.getuid?.() ?? 'unknown'}`, hint: 'run minirt as root' };
  }
  const [, hex = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const missing = capabilities.filter(([bit]) => ((BigInt(`0x${hex}`) >> bit) & 1n) === 0n);
  if (missing.length === 0) return { ok: true, detail: 'root with all capabilities' };
  const detail = `root without ${missing.map(([, name, loss]) => (loss === undefined ? name : `${name} (${loss})`)).join(', ')}`;
  const fatal = missing.some(([, , loss]) => loss === undefined);
  return fatal ? { ok: false, detail, hint: 'run minirt outside of an unprivileged container' } : { ok: true, detail };
}

export function checkKernel(version: string = release()): Finding {
  const ok = kernelIsAtLeast(...KERNEL_FLOOR, version);
  return ok ? { ok, detail: version } : { ok, detail: version, hint: `boot Linux ${KERNEL_FLOOR.join('.')} or newer` };
}

/** What pods with `hostUsers: false` take; no other pod misses it. */
export function checkUserNamespaces(
  version: string = release(),
  most: string = readIfThere('/proc/sys/user/max_user_namespaces'),
): Finding {
  const without = (why: string): Finding => ({ ok: true, detail: `none, so hostUsers: false is refused: ${why}` });
  if (!kernelIsAtLeast(...MAPPED_TMPFS, version)) return without(`that takes Linux ${MAPPED_TMPFS.join('.')}`);
  if (Number(most) === 0) return without('sysctl user.max_user_namespaces is 0');
  return { ok: true, detail: 'for hostUsers: false' };
}

/** A module that is not loaded yet is as good: mounting loads it. */
export function checkOverlay(): Finding {
  if (/\toverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))) return { ok: true, detail: 'known to the kernel' };
  const modules = `/lib/modules/${release()}`;
  if (/\/overlay\.ko/.test(readIfThere(`${modules}/modules.dep`)))
    return { ok: true, detail: `a module in ${modules}` };
  return { ok: false, detail: 'unknown to the kernel', hint: 'modprobe overlay' };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

export function checkCgroups(): Finding {
  const found = hostHierarchies();
  if (found === undefined) {
    return { ok: false, detail: 'none that is writable', hint: 'mount -t cgroup2 none /sys/fs/cgroup' };
  }
  const where = found.unified?.dir ?? found.freezer?.dir ?? '';
  const controllers = new Controllers(found, where);
  const missing = (['cpu', 'memory', 'hugetlb'] as const).filter((one) => !controllers.has(one));
  const refused = missing.length === 0 ? '' : `, no controller for ${missing.join(' and ')} (such limits are refused)`;
  return { ok: true, detail: `${found.mode}, ${where}${underSystemd() ? ', delegated by systemd' : ''}${refused}` };
}

/** Whether the kernel can attach a device program to a cgroup2: the function that asks such programs is in it or not. */
export function checkDevices(): Finding {
  const found = hostHierarchies();
  const bpf = / __cgroup_bpf_check_dev_permission$/m.test(readFileSync('/proc/kallsyms', 'utf8'));
  if (found?.unified !== undefined && bpf) return { ok: true, detail: 'BPF program on cgroup2' };
  if (found?.unified === undefined && found?.devices !== undefined)
    return { ok: true, detail: 'v1 devices controller' };
  const detail = bpf ? 'neither cgroup2 nor the v1 devices controller' : 'the kernel has no device programs';
  return { ok: false, detail, hint: 'boot a kernel with CONFIG_CGROUP_BPF' };
}

export function checkPlugins(): Finding {
  const found = ['bridge', 'host-local', 'portmap'].map((type) => {
    try {
      return findPlugin(type);
    } catch {
      return undefined;
    }
  });
  const [path] = found;
  if (path !== undefined && !found.includes(undefined)) return { ok: true, detail: dirname(path) };
  return {
    ok: false,
    detail: 'bridge, host-local and portmap not found',
    hint: 'apt install containernetworking-plugins',
  };
}

/** Has the plugins look at every pod that is attached to a network (CNI's CHECK). */
export async function checkAttachments({ state }: Roots): Promise<Finding> {
  const pods = attachedPods(state);
  const flaws: string[] = [];
  for (const uid of pods) {
    await checkPod(state, uid, AbortSignal.timeout(CHECK_LIMIT_MS)).catch((error: unknown) => {
      flaws.push(`pod ${uid}: ${messageOf(error)}`);
    });
  }
  if (flaws.length === 0) return { ok: true, detail: `${pods.length}, each as its network made it` };
  return { ok: false, detail: flaws.join('; '), hint: 'run these pods anew' };
}

/** Runs a program that must be there; its first line of output is the detail. */
export async function checkProgram(file: string, args: readonly string[], hint: string): Promise<Finding> {
  try {
    const result = await runCommand(file, args);
    const [line = ''] = `${result.stdout}${result.stderr}`.trim().split('\n');
    return result.code === 0 ? { ok: true, detail: line || file } : { ok: false, detail: line, hint };
  } catch (error) {
    return { ok: false, detail: messageOf(error), hint };
  }
}

/** Whether minirt may write there; a folder that is still to be made is as good as the one that it goes into. */
export function checkFolder(path: string, flag: string): Finding {
  for (let dir = path; ; dir = dirname(dir)) {
    try {
      accessSync(dir, constants.W_OK | constants.X_OK);
      return { ok: true, detail: path };
    } catch (error) {
      if (isErrno(error, 'ENOENT') && dir !== '/') continue;
      return { ok: false, detail: `${path}: ${messageOf(error)}`, hint: `choose another folder with ${flag}` };
    }
  }
}

/** Writable layers lie below `--root`, and an overlay takes none that lie on an overlay. */
export function checkBulk(roots: Roots): Finding {
  const finding = checkFolder(roots.root, '--root');
  if (!finding.ok || typeOf(roots.root) !== OVERLAYFS_MAGIC) return finding;
  return {
    ok: false,
    detail: `${roots.root}: on overlayfs, which cannot hold writable layers`,
    hint: 'choose a folder on another filesystem with --root',
  };
}

function typeOf(path: string): number {
  for (let dir = path; ; dir = dirname(dir)) {
    try {
      return statfsSync(dir).type;
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || dir === '/') throw error;
    }
  }
}
