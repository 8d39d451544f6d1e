import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { podStatus } from '../../src/pod/status.ts';
import { kernelIsAtLeast } from '../../src/sys/host.ts';
import { claimDir } from '../../src/state/paths.ts';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();
const v = { name: 'v', mountPath: '/v' };

async function said(line: string, source: object, volumeMounts: readonly object[] = [v]): Promise<string> {
  const pod = await pods.start([{ line, volumeMounts }], { volumes: [{ name: 'v', ...source }] });
  await pod.ended();
  return pod.log();
}

describe('an emptyDir in memory', () => {
  test('is a tmpfs of the size that it may have, open to everybody', async () => {
    const line = 'awk \'$2=="/v"{print $3,$4}\' /proc/mounts; stat -c %a /v; touch /v/x && echo wrote';
    const noswap = kernelIsAtLeast(6, 4) ? ',noswap' : '';
    expect(await said(line, { emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } })).toBe(
      `tmpfs rw,relatime,size=8192k${noswap}\n777\nwrote\n`,
    );
  });

  test('is full when it is full', async () => {
    const line = 'head -c 2000000 /dev/zero 2>/dev/null > /v/x || wc -c < /v/x';
    expect(await said(line, { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } })).toBe('1048576\n');
  });

  test('is one for all containers of the pod, outlives them, and goes with the pod', async () => {
    const volumes = [{ name: 'v', emptyDir: { medium: 'Memory' } }];
    const init = { name: 'i', image: 'busybox', imagePullPolicy: 'Never', volumeMounts: [v] };
    const initContainers = [{ ...init, command: ['/bin/sh', '-c', 'echo kept > /v/f; chmod 750 /v'] }];
    const pod = await pods.start([{ line: 'cat /v/f; stat -c %a /v; sleep 1000', volumeMounts: [v] }], {
      volumes,
      initContainers,
    });
    await eventually(() => {
      expect(pod.log()).toBe('kept\n750\n');
    });
    await pods.reopen();
    const taken = await pods.take(pod.view);
    expect(readFileSync(join(pod.view.paths.memory, 'v', 'f'), 'utf8')).toBe('kept\n');
    await taken.delete();
  });
});

describe('an emptyDir on disk with a limit', () => {
  const limited = { emptyDir: { sizeLimit: '1Mi' } };

  test('evicts its pod when it is over that', async () => {
    const line = 'trap "echo told; exit 0" TERM; head -c 2000000 /dev/zero > /v/x; while :; do sleep 0.05; done';
    const pod = await pods.start([{ line, volumeMounts: [v] }], { volumes: [{ name: 'v', ...limited }] });
    const last = await pod.ended();
    const message = 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ';
    expect(podStatus(last.pod, last.record)).toMatchObject({ phase: 'Failed', reason: 'Evicted', message });
    expect(pod.log()).toBe('told\n');
  });

  test('lets a pod be that stays below it', async () => {
    const line = 'head -c 500000 /dev/zero > /v/x; sleep 12; echo here';
    expect(await said(line, limited)).toBe('here\n');
  });
});

describe('a persistentVolumeClaim', () => {
  const source = { persistentVolumeClaim: { claimName: 'data' } };

  test('keeps what pods put there, one after another, until it is deleted', async () => {
    await pods.claim('data');
    expect(await said('stat -c %a /v; echo one > /v/f; chmod 700 /v; chown 5:5 /v', source)).toBe('777\n');
    expect(await said('cat /v/f; stat -c "%a %u" /v', source)).toBe('one\n700 5\n');
    const folder = claimDir(pods.roots, { namespace: 'default', name: 'data' });
    expect(statSync(folder).uid).toBe(5);
    await pods.objects.remove('PersistentVolumeClaim', 'default', 'data');
    await pods.claim('data');
    expect(await said('ls /v', source)).toBe('');
  });

  test('may be shared, in parts, and be read-only as a whole', async () => {
    await pods.claim('data');
    const mounts = [
      { ...v, subPath: 'a' },
      { name: 'v', mountPath: '/w' },
    ];
    expect(await said('echo x > /v/x; cat /w/a/x', source, mounts)).toBe('x\n');
    const readOnly = { persistentVolumeClaim: { claimName: 'data', readOnly: true } };
    expect(await said('touch /v/y 2>&1; cat /v/a/x', readOnly)).toBe('touch: /v/y: Read-only file system\nx\n');
  });

  test('that does not exist keeps the pod waiting until it does', async () => {
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'late' } }];
    const pod = await pods.start([{ line: 'echo here', volumeMounts: [v] }], { volumes });
    await eventually(() => {
      expect(pod.journal()).toContain('persistentvolumeclaim \\"late\\" not found');
    });
    await pods.claim('late');
    await pod.ended();
    expect(pod.log()).toBe('here\n');
  });
});
