/** What containers see and can do, written down in docs/what-pods-see.md. */
import { readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { capabilitiesIn } from '../../src/container/capabilities.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();

const page = fileURLToPath(new URL('../../docs/what-pods-see.md', import.meta.url));

/** The pod security standard "restricted". */
const restricted = {
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
};
const bare = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };

const views = [
  { title: 'ordinary', pod: {}, container: {} },
  { title: 'restricted', pod: restricted, container: { securityContext: bare } },
  { title: '`hostUsers: false`', pod: { hostUsers: false }, container: {} },
] as const;

/** A row: a name and a shell line whose output, on one line, is what stands in it. */
const seen: readonly (readonly [string, string])[] = [
  ['user and groups', 'echo $(id -u):$(id -g) $(id -G)'],
  [
    'its user on the host',
    'read in out count </proc/self/uid_map; test $out = 0 && id -u || echo "one of 65536 of its own"',
  ],
  ['capabilities', 'sed -n "s/^CapBnd:.//p" /proc/self/status'],
  ['… in effect', 'sed -n "s/^CapEff:.//p" /proc/self/status'],
  ['no_new_privs', 'sed -n "s/^NoNewPrivs:.//p" /proc/self/status'],
  ['seccomp', 'sed -n "s/^Seccomp:.2/filter/p" /proc/self/status'],
  ['namespaces of its own', 'for n in cgroup ipc mnt net pid user uts; do echo $n=$(readlink /proc/self/ns/$n); done'],
  ['first process', 'cat /proc/1/comm'],
  ['network devices', 'ls /sys/class/net'],
  ['devices', 'cd /dev; for d in *; do test ! -L $d && test -c $d -o -b $d && echo $d; done'],
  ['host name', 'hostname | sed "s/^p[0-9]*$/that of the pod/"'],
  ['root file system', 'grep " / " /proc/mounts | cut -d" " -f3,4 | cut -d, -f1'],
];

/** What is tried: a name and a shell line that succeeds or fails. */
const tried: readonly (readonly [string, string])[] = [
  ['write in /tmp', 'touch /tmp/x'],
  ['give a file away', 'touch /tmp/y && chown 5 /tmp/y'],
  ['listen on port 80', 'timeout 0.2 nc -l -p 80; test $? != 1'],
  ['ping through a raw socket', 'ping -c1 -W1 127.0.0.1'],
  ['change the address of lo', 'ip addr add 127.9.9.9/32 dev lo'],
  ['change the host name', 'hostname other'],
  ['mount a tmpfs', 'mount -t tmpfs t /tmp'],
  ['make a user namespace', 'unshare -U true'],
  ['make a mount namespace', 'unshare -m true'],
  ['make a device node', 'mknod /tmp/null c 1 3'],
  ['… of a disk, and open it', 'mknod /tmp/disk b 254 0 && head -c1 /tmp/disk'],
  ['change root', 'chroot / true'],
  ['set a sysctl', 'echo 1 >/proc/sys/net/ipv4/ip_forward'],
  ['read /proc/kcore', 'head -c1 /proc/kcore | grep -q .'],
  ['read the kernel log', 'dmesg'],
  ['set the clock', '! date -s @$(date +%s) 2>&1 | grep set'],
  ['use sysrq', 'echo h >/proc/sysrq-trigger'],
  ['write to /sys', 'echo 1 >/sys/class/net/lo/mtu'],
  ['write to its cgroup', 'echo 0 >/sys/fs/cgroup/cgroup.procs || echo 0 >/sys/fs/cgroup/unified/cgroup.procs'],
  ['lower its nice value', 'test $(nice -n -5 nice) -lt 0'],
];

const script = [
  ...seen.map(([, line]) => `(${line}) 2>/dev/null | tr '\\n' ' '; echo`),
  ...tried.map(([, line]) => `if (${line}) >/dev/null 2>&1; then echo yes; else echo no; fi`),
].join('\n');

/** Masks in words, and of namespaces the names of those that are not the host's. */
function readable(name: string, text: string): string {
  if (name.includes('capabilities') || name.includes('in effect')) {
    const names = capabilitiesIn(BigInt(`0x${text}`)).map((one) => one.replace('CAP_', '').toLowerCase());
    return names.length === 0 ? 'none' : names.join(' ');
  }
  if (!name.startsWith('namespaces')) return text;
  const own = text.split(' ').filter((pair) => {
    const [kind = '', link = ''] = pair.split('=');
    return link !== readlinkSync(`/proc/self/ns/${kind}`);
  });
  return own.map((pair) => pair.replace(/=.*/, '')).join(' ');
}

test('docs/what-pods-see.md is what containers see and can do (else: scripts/generate-docs)', async () => {
  const columns: (readonly string[])[] = [];
  for (const { pod, container } of views) {
    const started = await pods.start([{ line: script, ...container }], pod);
    await started.ended();
    columns.push(started.log().trimEnd().split('\n'));
  }
  const rows = [...seen, ...tried].map(([name], i) => {
    const cells = columns.map((lines) => readable(name, (lines[i] ?? '').trim()));
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  const head = `| ${['', ...views.map(({ title }) => title)].join(' | ')} |\n|${'---|'.repeat(views.length + 1)}\n`;
  const text = [
    '# What a container sees and can do\n',
    'Written by `test/kernel/pod-views.test.ts`, which runs the lines that it shows in three pods: one that says nothing of security, one as the pod',
    'security standard "restricted" wants it (`runAsNonRoot`, `runAsUser: 1000`, `allowPrivilegeEscalation: false`, no capabilities, and here a read-only',
    'root), and one with `hostUsers: false`. A test that finds something else fails.\n',
    `## What it sees\n\n${head}${rows.slice(0, seen.length).join('\n')}\n`,
    `## What it can do\n\n${head}${rows.slice(seen.length).join('\n')}\n`,
  ].join('\n');
  await expect(text).toMatchFileSnapshot(page);
});
