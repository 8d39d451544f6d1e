import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { allCapabilities, defaultCapabilities } from '../../src/container/capabilities.ts';
import { seccompFilter } from '../../src/container/seccomp/index.ts';
import { TestHost } from '../support/containers.ts';

const { signal } = new AbortController();
const source = fileURLToPath(new URL('../support/calls.c', import.meta.url));

const host = await new TestHost().open();
const folders = { profiles: join(host.dir, 'profiles'), filters: join(host.dir, 'filters') };
host.layer('base', (root) => execFileSync('gcc', ['-static', '-O1', '-o', join(root, 'bin', 'calls'), source]));
afterAll(() => host.close());

interface Situation {
  /** Beyond the default ones, and known to the filter. */
  readonly added?: readonly string[];
  /** What the process has, when the filter is not made for that. */
  readonly held?: readonly string[];
  readonly confined?: boolean;
  readonly noNewPrivileges?: boolean;
}

/** What each call answers in a container under RuntimeDefault. */
async function answers(
  calls: readonly string[],
  { added = [], held, confined = true, noNewPrivileges = false }: Situation = {},
): Promise<Readonly<Record<string, string>>> {
  const known = [...defaultCapabilities, ...added];
  const kind = confined ? 'runtimeDefault' : 'unconfined';
  const seccomp = await seccompFilter({ kind }, known, folders, signal);
  const process = { seccomp, capabilities: held ?? known, noNewPrivileges };
  const { out } = await host.sh(`calls ${calls.join(' ')}`, { process });
  return Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

/** Those that this host's root has. */
function ownCapabilities(): readonly string[] {
  const mask = /^CapBnd:\s+(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return allCapabilities.filter((_, bit) => (BigInt(`0x${mask}`) >> BigInt(bit)) & 1n);
}

function each(calls: readonly string[], answer: string): Readonly<Record<string, string>> {
  return Object.fromEntries(calls.map((call) => [call, answer]));
}

/** What no program in a container needs and many an escape began with. */
const blocked = [
  'keyctl', 'add_key', 'request_key', 'bpf', 'userfaultfd', 'io_uring_setup', 'perf_event_open', 'kexec_load',
  'kexec_file_load', 'open_by_handle_at', 'mount', 'umount2', 'pivot_root', 'open_tree', 'move_mount', 'fsopen',
  'fsmount', 'fspick', 'mount_setattr', 'setns', 'clone-user', 'clone-net', 'init_module', 'reboot',
  'swapon', 'syslog', 'acct', 'quotactl', 'settimeofday', 'personality-aslr', 'socket-alg', 'socket-vsock',
  'socket-alg-high-bits', 'socket-alg-32bit', 'socket-alg-x32', 'kcmp', 'process_madvise', 'listmount',
  'unshare', // the last: it changes who the process is
]; // prettier-ignore

describe('RuntimeDefault', () => {
  test('CVE-2026-31431: refuses with EPERM what programs do not need, sockets of AF_ALG too', async () => {
    expect(await answers(blocked)).toEqual(each(blocked, 'EPERM'));
  });

  test('refuses it even of those whom the kernel would let: it is the filter that does', async () => {
    expect(await answers(blocked, { held: ownCapabilities() })).toEqual(each(blocked, 'EPERM'));
    // The control: without a filter nothing of it is refused, but for what this very kernel does not let anybody do.
    const free = await answers(blocked, { held: ownCapabilities(), confined: false });
    expect(blocked.filter((call) => free[call] === 'EPERM')).toEqual([]);
  });

  test('refuses the same of a process that may gain no privileges', async () => {
    expect(await answers(blocked, { noNewPrivileges: true })).toEqual(each(blocked, 'EPERM'));
  });

  test('lets libc believe that the kernel is older', async () => {
    const absent = ['clone3', 'socketcall-32bit', 'future'];
    expect(await answers(absent)).toEqual(each(absent, 'ENOSYS'));
  });

  test('allows what programs do', async () => {
    const allowed = ['clone', 'socket-inet', 'socket-netlink', 'personality-query', 'chroot', 'ptrace', 'getpid-32bit'];
    expect(await answers(allowed)).toEqual(each(allowed, 'ok'));
    // The kernel has looked at the arguments.
    expect(await answers(['fchmodat2'])).toEqual({ fchmodat2: 'EBADF' });
  });

  test.each([
    [
      'CAP_SYS_ADMIN',
      ['mount', 'umount2', 'fsopen', 'clone-net', 'clone3', 'setns', 'unshare', 'listmount'],
      ['keyctl'],
    ],
    ['CAP_BPF', ['bpf'], ['perf_event_open']],
    ['CAP_PERFMON', ['perf_event_open'], ['bpf']],
    ['CAP_SYS_PTRACE', ['kcmp', 'process_madvise'], ['userfaultfd']],
    ['CAP_DAC_READ_SEARCH', ['open_by_handle_at'], ['mount']],
    ['CAP_SYSLOG', ['syslog'], ['bpf']],
    ['CAP_SYS_MODULE', ['init_module'], ['kexec_file_load']],
    ['CAP_SYS_PACCT', ['acct'], ['quotactl']],
    ['CAP_SYS_BOOT', ['reboot'], ['kexec_load']],
    ['CAP_SYS_TIME', ['settimeofday'], ['syslog']],
  ])('opens with %s what that is for', async (capability, opened, closed) => {
    const all = await answers([...opened, ...closed], { added: [capability] });
    expect(opened.filter((call) => all[call] === 'EPERM')).toEqual([]);
    expect(closed.map((call) => all[call])).toEqual(closed.map(() => 'EPERM'));
  });

  test('is compiled once for the same capabilities', async () => {
    const before = await answers(['clone']).then(() => readdirSync(folders.filters).length);
    await answers(['clone']);
    expect(readdirSync(folders.filters)).toHaveLength(before);
    await seccompFilter({ kind: 'runtimeDefault' }, allCapabilities, folders, signal);
    expect(readdirSync(folders.filters)).toHaveLength(before + 1);
  });
});
