/** Settings of the kernel that a pod has for its own. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernelIsAtLeast } from '../../src/sys/host.ts';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import { isHost } from '../support/hosts.ts';

const pods = useHostPods();

const names = [
  'kernel.shm_rmid_forced',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
] as const;
const pathOf = (name: string): string => `/proc/sys/${name.replaceAll('.', '/')}`;
const ofHost = (): readonly string[] => names.map((name) => readFileSync(pathOf(name), 'utf8'));

const ofUsers = isHost(kernelIsAtLeast(6, 3), 'Linux 6.3 and newer', 'sysctls of user namespaces');

test.each<[string, object]>([
  ['an ordinary pod', {}],
  ...(ofUsers ? [['a pod with users of its own', { hostUsers: false }] as [string, object]] : []),
])('%s has those of its manifest, and the host keeps its own', async (_, spec) => {
  const before = ofHost();
  const sysctls = [
    { name: 'kernel.shm_rmid_forced', value: '1' },
    { name: 'net/ipv4/tcp_syncookies', value: '0' },
    { name: 'net.ipv4.ip_local_port_range', value: '20000 21000' },
    { name: 'net.ipv4.ip_unprivileged_port_start', value: '500' },
  ];
  const line = `cat ${names.map(pathOf).join(' ')}`;
  const pod = await pods.start([{ line }], { ...spec, securityContext: { sysctls } });
  await pod.ended();
  expect(pod.log()).toBe('1\n0\n20000\t21000\n500\n');
  expect(ofHost()).toEqual(before);
});

test('CVE-2022-0811: one that is not on the list keeps the pod from running', async () => {
  // The host's own value: a minirt that lets it pass must not harm the host that it is tried on.
  const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
  const sysctls = [{ name: 'kernel.core_pattern', value: before.trim() }];
  const pod = await pods.start([{ line: 'echo ran' }], { securityContext: { sysctls } });
  await eventually(async () => {
    expect(await pod.status()).toMatchObject({
      phase: 'Failed',
      reason: 'SysctlForbidden',
      message: 'Pod was rejected: forbidden sysctl: "kernel.core_pattern" not allowlisted',
    });
  });
  await pod.ended();
  expect(pod.log()).toBe('');
});

test('a value that the kernel does not take keeps the pod waiting, and is told', async () => {
  const sysctls = [{ name: 'net.ipv4.tcp_syncookies', value: 'many' }];
  const pod = await pods.start([{ line: 'echo ran' }], { securityContext: { sysctls } });
  await eventually(() => {
    expect(pod.journal()).toContain('FailedCreatePodSandBox');
    expect(pod.journal()).toContain('sysctl net.ipv4.tcp_syncookies: EINVAL');
  });
  await pod.delete();
});
