/** AppArmor profiles, where the kernel has them; scripts/vm has such a host. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { hasAppArmor } from '../../src/container/apparmor.ts';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import { isHost } from '../support/hosts.ts';

const pods = useHostPods();
const current = 'cat /proc/self/attr/current; ';

if (isHost(hasAppArmor(), 'hosts with AppArmor', 'confinement by AppArmor')) describe('a container', ofAppArmor);
else {
  test('without AppArmor a pod that insists on it is rejected', async () => {
    const securityContext = { appArmorProfile: { type: 'RuntimeDefault' } };
    const pod = await pods.start([{ line: 'echo ran' }], { securityContext });
    await eventually(async () => {
      expect(await pod.status()).toMatchObject({
        phase: 'Failed',
        reason: 'AppArmor',
        message: 'Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host',
      });
    });
    await pod.ended();
    expect(pod.log()).toBe('');
  });
}

function ofAppArmor(): void {
  async function said(line: string, securityContext: object = {}): Promise<string> {
    const pod = await pods.start([{ line: current + line, securityContext }]);
    await pod.ended();
    return pod.log();
  }

  test('is confined by the default profile, which closes what a mistake would open', async () => {
    const line =
      'echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_forward && echo net; ' +
      'touch /tmp/x && echo touched; kill -0 1 && echo signals; ' +
      'mkdir -p /m; mount -t tmpfs t /m 2>/dev/null || echo no mount; ' +
      'cat /proc/kcore >/dev/null 2>&1 || echo no kcore; ' +
      'echo x 2>/dev/null >/proc/sys/kernel/core_pattern || echo no core_pattern; ' +
      'echo 1 2>/dev/null >/sys/kernel/mm/ksm/run || echo no ksm';
    const securityContext = {
      capabilities: { add: ['SYS_ADMIN', 'NET_ADMIN'] },
      seccompProfile: { type: 'Unconfined' },
    };
    expect(await said(line, securityContext)).toBe(
      'minirt-default (enforce)\ntouched\nsignals\nno mount\nno kcore\nno core_pattern\nno ksm\n',
    );
  });

  test('that is privileged or says so is not', async () => {
    expect(await said('', { privileged: true })).toBe('unconfined\n');
    expect(await said('', { appArmorProfile: { type: 'Unconfined' } })).toBe('unconfined\n');
  });

  test('has a profile of the host, in its hooks too', async () => {
    const rules = 'profile minirt-test flags=(attach_disconnected) { file, signal, deny /tmp/secret r, }\n';
    expect(spawnSync('/sbin/apparmor_parser', ['-r', '-T'], { input: rules }).status).toBe(0);
    const postStart = { exec: { command: ['/bin/sh', '-c', 'cat /proc/self/attr/current >/tmp/who'] } };
    const securityContext = { appArmorProfile: { type: 'Localhost', localhostProfile: 'minirt-test' } };
    const line =
      'until test -s /tmp/who; do sleep 0.05; done; cat /tmp/who; echo x >/tmp/secret; cat /tmp/secret 2>&1 | grep -o denied';
    const pod = await pods.start([{ line: current + line, securityContext, lifecycle: { postStart } }]);
    await pod.ended();
    expect(pod.log()).toBe('minirt-test (enforce)\nminirt-test (enforce)\ndenied\n');
    expect(spawnSync('/sbin/apparmor_parser', ['-R'], { input: rules }).status).toBe(0);
  });

  test('whose profile is not loaded is not made', async () => {
    const securityContext = { appArmorProfile: { type: 'Localhost', localhostProfile: 'no-such' } };
    const pod = await pods.start([{ line: 'echo ran', securityContext }]);
    await eventually(() => {
      expect(pod.journal()).toContain('apparmor profile not found no-such');
    });
    await pod.delete();
    expect(pod.log()).toBe('');
  });
}
