/** What a security context does, seen from inside. */
import { chownSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { capabilitiesIn } from '../../src/container/capabilities.ts';
import { claimDir } from '../../src/state/paths.ts';
import { ownCapabilities } from '../../src/sys/capabilities.ts';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();

/** What one shell line prints in a container with a security context, in a pod with another one. */
async function said(line: string, securityContext: object, pod: object = {}): Promise<string> {
  const started = await pods.start([{ line, securityContext }], pod);
  await started.ended();
  return started.log();
}

const status = (field: string): string => `grep ^${field}: /proc/self/status | tr -d "\\t "`;

describe('a user', () => {
  test('is who the manifest says, with the groups of the pod', async () => {
    const securityContext = { fsGroup: 3000, supplementalGroups: [4000] };
    const line = `id -u; id -g; ${status('Groups')}; ${status('CapEff')}; ${status('CapPrm')}`;
    expect(await said(line, { runAsUser: 1000, runAsGroup: 2000 }, { securityContext })).toBe(
      '1000\n2000\nGroups:200030004000\nCapEff:0000000000000000\nCapPrm:0000000000000000\n',
    );
  });

  test('is told by the status of the container, from its creation to its end', async () => {
    const securityContext = { runAsUser: 1000, runAsGroup: 2000 };
    const pod = await pods.start([{ line: 'id -G; exec sleep 0.5', securityContext }], {
      securityContext: { supplementalGroups: [4000, 3000] },
    });
    const user = { linux: { uid: 1000, gid: 2000, supplementalGroups: [2000, 3000, 4000] } };
    for (const phase of ['Running', 'Succeeded']) {
      await eventually(async () => {
        expect(await pod.status()).toMatchObject({ phase, containerStatuses: [{ user }] });
      });
    }
    expect(pod.log()).toBe('2000 3000 4000\n');
    await pod.ended();
  });

  test('is that of hooks, too', async () => {
    const postStart = { exec: { command: ['/bin/sh', '-c', `id -u >/tmp/who; ${status('NoNewPrivs')} >>/tmp/who`] } };
    const line = 'until grep -q Priv /tmp/who; do sleep 0.05; done 2>/dev/null; cat /tmp/who';
    const securityContext = { runAsUser: 1000, allowPrivilegeEscalation: false };
    const pod = await pods.start([{ line, securityContext, lifecycle: { postStart } }]);
    await pod.ended();
    expect(pod.log()).toBe('1000\nNoNewPrivs:1\n');
  });

  test('CVE-2019-11245: that must not be root is looked at before every start', async () => {
    const pod = await pods.start([{ line: 'id -u', securityContext: { runAsNonRoot: true } }], {
      restartPolicy: 'Always',
    });
    const message = 'container has runAsNonRoot and image will run as root';
    await eventually(() => {
      expect(pod.journal()).toContain(`"reason":"CreateContainerConfigError","message":"${message}`);
    });
    expect(pod.log()).toBe('');
    await pod.delete();
  });
});

describe('privileges', () => {
  const bounding = `echo 0x$(grep ^CapBnd /proc/self/status | cut -f2)`;
  const named = (mask: string): readonly string[] => capabilitiesIn(BigInt(mask.trim()));

  test('are what is added and dropped', async () => {
    const capabilities = { drop: ['ALL'], add: ['NET_BIND_SERVICE', 'CAP_SYS_TIME'] };
    expect(named(await said(bounding, { capabilities }))).toEqual(['CAP_NET_BIND_SERVICE', 'CAP_SYS_TIME']);
  });

  test('are none at all where everything is dropped', async () => {
    const line = `${bounding}; ${status('NoNewPrivs')}; chown 5 /tmp 2>/dev/null || echo no`;
    const securityContext = { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false };
    expect(await said(line, securityContext)).toBe('0x0000000000000000\nNoNewPrivs:1\nno\n');
  });

  test('are all that root has in a privileged container, with the devices of the host and nothing hidden', async () => {
    const line = `${bounding}; mount -t tmpfs none /tmp && echo mounted; ls -l /dev/kmsg | cut -c1; head -c 1 /dev/kmsg >/dev/null && echo read; wc -c </proc/sys/kernel/core_pattern >/dev/null && test -w /proc/sys/kernel/core_pattern && echo writable`;
    const [mask = '', ...rest] = (await said(line, { privileged: true })).trim().split('\n');
    expect(named(mask)).toEqual(capabilitiesIn(ownCapabilities()));
    expect(rest).toEqual(['mounted', 'c', 'read', 'writable']);
  });

  test('that root does not have here cannot be added', async () => {
    const lacking = ['CAP_SYS_RESOURCE', 'CAP_SYS_MODULE', 'CAP_AUDIT_CONTROL'].find(
      (name) => !capabilitiesIn(ownCapabilities()).includes(name),
    );
    if (lacking === undefined) return expect(capabilitiesIn(ownCapabilities())).toContain('CAP_SYS_RESOURCE');
    const pod = await pods.start([{ line: 'true', securityContext: { capabilities: { add: [lacking] } } }]);
    await eventually(() => {
      expect(pod.journal()).toContain(
        `"reason":"CreateContainerError","message":"add capability: ${lacking}: root does not`,
      );
    });
    await pod.delete();
  });

  test('do not reach a root file system that is read-only, nor keep it from its volumes', async () => {
    const line =
      'for f in /x /etc/hostname /etc/resolv.conf; do echo x 2>/dev/null >$f || echo ro; done;' +
      'for f in /v/x /etc/hosts /dev/termination-log; do echo x >$f && echo written; done';
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const pod = await pods.start([{ line, volumeMounts, securityContext: { readOnlyRootFilesystem: true } }], {
      volumes: [{ name: 'v', emptyDir: {} }],
    });
    await pod.ended();
    expect(pod.log()).toBe('ro\n'.repeat(3) + 'written\n'.repeat(3));
  });
});

describe('fsGroup', () => {
  const securityContext = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 3000 };
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];

  test.each([
    ['an emptyDir', { emptyDir: {} }, '3000 2777\nwritten\n3000\n'],
    ['one in memory', { emptyDir: { medium: 'Memory' } }, '3000 2777\nwritten\n3000\n'],
  ])('is the group of %s', async (_, volume, expected) => {
    const line = 'stat -c "%g %a" /v; echo x >/v/f && echo written; stat -c %g /v/f';
    const pod = await pods.start([{ line, volumeMounts }], { securityContext, volumes: [{ name: 'v', ...volume }] });
    await pod.ended();
    expect(pod.log()).toBe(expected);
  });

  test('lets its group read files that nobody else may', async () => {
    await pods.secret('s', { key: 'value' });
    const volume = { name: 'v', secret: { secretName: 's', defaultMode: 0o400 } };
    const line = 'cat /v/key; echo; stat -L -c "%g %a" /v/key; echo x 2>/dev/null >/v/key || echo ro';
    const pod = await pods.start([{ line, volumeMounts }], { securityContext, volumes: [volume] });
    await pod.ended();
    expect(pod.log()).toBe('value\n3000 440\nro\n');
  });

  test('has what follows a ConfigMap before anybody sees it', async () => {
    await pods.configMap('cm', { key: 'old' });
    const volume = { name: 'v', configMap: { name: 'cm', defaultMode: 0o400 } };
    const line = 'while [ "$(cat /v/key)" = old ]; do :; done; cat /v/key';
    const pod = await pods.start([{ line, volumeMounts }], { securityContext, volumes: [volume] });
    const key = join(pod.volume('v'), 'key');
    await eventually(async () => {
      expect((await pod.status()).phase).toBe('Running');
    });
    await pods.configMap('cm', { key: 'new' });
    do {
      const { gid, mode } = statSync(key);
      expect([gid, mode & 0o777]).toEqual([3000, 0o440]);
      await setImmediate();
    } while (readFileSync(key, 'utf8') === 'old');
    await pod.ended();
    expect(pod.log()).toBe('new\n');
  });

  test('goes deeper into a claim than a process has descriptors', async () => {
    await pods.claim('deep');
    const folder = claimDir(pods.roots, { namespace: 'default', name: 'deep' });
    const path = join(folder, 'd/'.repeat(1500));
    mkdirSync(path, { recursive: true });
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'deep' } }];
    await (await pods.start([{ line: 'true', volumeMounts }], { securityContext, volumes })).ended();
    expect(lstatSync(path)).toMatchObject({ gid: 3000 });
  });

  test('goes through a claim, follows no link out of it, and spares one that is right where that is asked for', async () => {
    await pods.claim('data');
    const folder = claimDir(pods.roots, { namespace: 'default', name: 'data' });
    const canary = join(pods.folder, 'canary');
    writeFileSync(canary, 'host\n', { mode: 0o600 });
    const run = async (policy: string): Promise<void> => {
      const context = { ...securityContext, fsGroupChangePolicy: policy };
      const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
      await (await pods.start([{ line: 'true', volumeMounts }], { securityContext: context, volumes })).ended();
    };
    await run('Always');
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'er', 'f'), '', { mode: 0o600 });
    symlinkSync(canary, join(folder, 'out'));
    symlinkSync('/', join(folder, 'deep', 'root'));
    chownSync(join(folder, 'deep', 'er', 'f'), 7, 7);
    await run('OnRootMismatch');
    expect(statSync(join(folder, 'deep', 'er', 'f'))).toMatchObject({ uid: 7, gid: 7 });
    await run('Always');
    const of = (path: string): readonly number[] => {
      const { gid, mode } = lstatSync(join(folder, path));
      return [gid, mode & 0o7777];
    };
    expect([of('deep'), of('deep/er'), of('deep/er/f'), of('out')[0]]).toEqual([
      [3000, 0o2775],
      [3000, 0o2775],
      [3000, 0o660],
      3000,
    ]);
    expect(statSync(join(folder, 'deep', 'er', 'f')).uid).toBe(7);
    expect(lstatSync(canary)).toMatchObject({ uid: 0, gid: 0 });
    expect(lstatSync(canary).mode & 0o777).toBe(0o600);
    expect(readFileSync(canary, 'utf8')).toBe('host\n');
    expect(lstatSync('/').gid).toBe(0);
  });
});
