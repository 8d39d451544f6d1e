import { readFileSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { ContainerStateTerminated, PodStatus } from 'kubernetes-types/core/v1.js';
import { describe, expect, test } from 'vitest';
import { hostHierarchies } from '../../src/container/cgroup/census.ts';
import type { Controller } from '../../src/container/cgroup/limits.ts';
import { podStatus } from '../../src/pod/status.ts';
import { usageOf } from '../../src/pod/usage.ts';
import { viewPod } from '../../src/pod/view.ts';
import { eventually } from '../support/cli.ts';
import { type HostPod, useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();

const found = hostHierarchies();
const isV1 = (controller: Controller): boolean => found?.controllers.has(controller) === true;

/** What a shell prints of a controller's file, whichever kind of hierarchy keeps it; a word a file. */
function cat(controller: Controller, v1: readonly string[], v2: readonly string[]): string {
  const files = isV1(controller) ? v1.map((file) => `${controller}/${file}`) : v2;
  return files.map((file) => `echo $(cat /sys/fs/cgroup/${file})`).join('; ');
}

const CPU = cat('cpu', ['cpu.shares', 'cpu.cfs_quota_us', 'cpu.cfs_period_us'], ['cpu.weight', 'cpu.max']);
const MEMORY = cat('memory', ['memory.limit_in_bytes'], ['memory.max']);
const limited = { limits: { cpu: '250m', memory: '64Mi' }, requests: { cpu: '100m', memory: '32Mi' } };

function said(pod: HostPod): readonly string[] {
  return pod.log().trim().split('\n');
}

/** Status of a pod that has come to its end. */
async function endOf(pod: HostPod): Promise<PodStatus> {
  const { pod: spec, record } = await pod.ended();
  return podStatus(spec, record);
}

function terminated({ containerStatuses = [] }: PodStatus, name = 'c'): ContainerStateTerminated | undefined {
  return containerStatuses.find((one) => one.name === name)?.state?.terminated;
}

describe('a container with limits', () => {
  test('finds them where programs look, as a kubelet and its runtime write them', async () => {
    const pod = await pods.start([{ line: `${CPU}; ${MEMORY}; cat /proc/self/oom_score_adj`, resources: limited }]);
    await pod.ended();
    const cpu = isV1('cpu') ? ['102', '25000', '100000'] : ['17', '25000 100000'];
    const adj = Math.min(999, 1000 - Math.floor((1000 * 32 * 2 ** 20) / totalmem()));
    expect(said(pod)).toEqual([...cpu, '67108864', String(adj)]);
  });

  test('CVE-2022-0492, CVE-2023-25809: cannot change them, nor see those of others', async () => {
    const folder = isV1('memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
    const file = isV1('memory') ? 'memory.limit_in_bytes' : 'memory.max';
    const line = [
      `(echo 1000000000 > ${folder}/${file}) 2>&1 | grep -o Read-only`,
      `mkdir ${folder}/x 2>/dev/null && echo made`,
      `ls -d ${folder}/*/ 2>/dev/null | wc -l`,
      'find /sys/fs/cgroup -name release_agent',
    ].join('; ');
    const pod = await pods.start([{ line, resources: limited }]);
    await pod.ended();
    expect(said(pod)).toEqual(['Read-only', '0']);
  });

  test('has them for what is executed in it, too', async () => {
    const exec = { command: ['/bin/sh', '-c', 'cat /proc/self/cgroup > /hook; cat /proc/self/oom_score_adj >> /hook'] };
    const line =
      'until [ -s /hook ]; do sleep 0.05; done; cat /proc/1/cgroup; cat /proc/1/oom_score_adj; echo; cat /hook';
    const pod = await pods.start([{ line, resources: limited, lifecycle: { postStart: { exec } } }]);
    await pod.ended();
    const [own = '', hooks = ''] = pod.log().split('\n\n');
    // The command has a leaf of its own in the unified hierarchy, where it is killed.
    expect(hooks.replace(/^0::\/exec-\S+$/m, '0::/').trim()).toBe(own.trim());
    if (isV1('memory')) expect(own).toMatch(/:memory:\/$/m);
  });

  test('is in a cgroup of its pod, which has what its containers have together', async () => {
    const line = 'sleep 1000';
    const pod = await pods.start([
      { name: 'a', line, resources: limited },
      { name: 'b', line, resources: { limits: { cpu: '1', memory: '16Mi' } } },
    ]);
    await eventually(async () => {
      expect((await pod.status()).containerStatuses?.every(({ ready }) => ready)).toBe(true);
    });
    const root = found?.unified?.dir ?? found?.freezer?.dir ?? '';
    const own = dirname(await pod.cgroup('a'));
    const value = (controller: Controller, v1: string, v2: string): string => {
      const hierarchy = found?.controllers.get(controller)?.dir;
      return readFileSync(hierarchy === undefined ? join(own, v2) : join(hierarchy, relative(root, own), v1), 'utf8');
    };
    expect(value('memory', 'memory.limit_in_bytes', 'memory.max').trim()).toBe(String(80 * 2 ** 20));
    expect(value('cpu', 'cpu.cfs_quota_us', 'cpu.max').trim().split(' ')[0]).toBe('125000');
    expect(value('cpu', 'cpu.shares', 'cpu.weight').trim()).toBe(isV1('cpu') ? '1126' : '43');
    await pod.delete();
  });

  test('has them of its pod where it has none of its own', async () => {
    const resources = { limits: { memory: '48Mi', cpu: '500m' } };
    const pod = await pods.start([{ line: `${MEMORY}; ${CPU}` }], { resources });
    expect((await endOf(pod)).qosClass).toBe('Guaranteed');
    expect(said(pod)[0]).toBe(String(48 * 2 ** 20));
    expect(pod.log()).toContain('50000');
  });
});

describe('what a container uses', () => {
  test.each([
    ['with limits', limited],
    ['without', {}],
  ])('is told of one %s', async (_, resources) => {
    const busy = 'dd if=/dev/zero of=/dev/shm/x bs=1M count=8 2>/dev/null; while :; do :; done';
    const pod = await pods.start([
      { name: 'busy', line: busy, resources },
      { name: 'idle', line: 'sleep 1000', resources },
    ]);
    await eventually(async () => {
      expect((await pod.status()).containerStatuses?.every(({ ready }) => ready)).toBe(true);
    });
    const used = await usageOf(pods.roots, [pod.view]);
    expect([...used.values()]).toEqual([[]]);
    const view = await viewPod(pods.roots, pod.view.uid);
    const [busiest, idle] = (await usageOf(pods.roots, [view])).get(view) ?? [];
    expect(busiest?.cpu).toBeGreaterThan(50);
    if ('limits' in resources) {
      expect(busiest?.cpu).toBeLessThan(400);
      expect(busiest?.memory).toBeGreaterThan(8 * 2 ** 20);
    }
    expect(idle?.cpu).toBeLessThan(50);
    expect(idle?.memory).toBeGreaterThan(0);
    await pod.delete();
  });
});

describe('a container that runs out of memory', () => {
  const small = { limits: { memory: '16Mi' } };
  const GREEDY = 'x=a; while :; do x=$x$x; done';

  test('says so, and its neighbour does not', async () => {
    const pod = await pods.start([
      { name: 'greedy', line: GREEDY, resources: small },
      { name: 'modest', line: 'sleep 2; exit 3', resources: small },
    ]);
    const status = await endOf(pod);
    expect(terminated(status, 'greedy')).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    expect(terminated(status, 'modest')).toMatchObject({ exitCode: 3, reason: 'Error' });
  });

  test('says so when it happened while nobody owned it', async () => {
    const line = `until [ -e /v/go ]; do sleep 0.05; done; ${GREEDY}`;
    const volumes = [{ name: 'v', emptyDir: {} }];
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const pod = await pods.start([{ line, resources: small, volumeMounts }], { volumes });
    await eventually(async () => {
      expect((await pod.status()).phase).toBe('Running');
    });
    const cgroup = await pod.cgroup();
    await pods.reopen(async () => {
      writeFileSync(join(pod.volume('v'), 'go'), '');
      await eventually(() => {
        expect(readFileSync(join(cgroup, 'cgroup.procs'), 'utf8')).toBe('');
      });
    });
    expect(terminated(await endOf(await pods.take(pod.view)))).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  test('has failed as an init container whatever its exit code', async () => {
    const line = `sh -c '${GREEDY}'; exit 0`;
    const init = { name: 'i', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line] };
    const pod = await pods.start([{ line: 'echo never' }], { initContainers: [{ ...init, resources: small }] });
    const status = await endOf(pod);
    expect(status.initContainerStatuses?.[0]?.state?.terminated?.reason).toBe('OOMKilled');
    expect(status.phase).toBe('Failed');
  });
});

describe('a container that gets less memory than its own start takes', () => {
  test('could not be started, in a runtime’s words', async () => {
    const pod = await pods.start([{ line: 'echo never', resources: { limits: { memory: '100Ki' } } }]);
    const status = await endOf(pod);
    expect(terminated(status)).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: 'failed to create container process: container init was OOM-killed (memory limit too low?)',
    });
    expect(status.phase).toBe('Failed');
  });
});

describe('what a host cannot give and nobody demands', () => {
  test('is told once for the pod', async () => {
    const sure = { limits: { cpu: '100m', memory: '32Mi' } };
    const line = 'cat /proc/self/oom_score_adj';
    const pod = await pods.start([
      { line, resources: sure },
      { name: 'd', line, resources: sure },
    ]);
    const told = pod.journal.bind(pod);
    await eventually(() => {
      expect(pod.log('d')).not.toBe('');
    });
    const left = told().match(/oom_score_adj -997 is left out: minirt lacks CAP_SYS_RESOURCE here/g) ?? [];
    expect([said(pod)[0], left.length]).toEqual(left.length === 1 ? ['0', 1] : ['-997', 0]);
    await pod.ended();
  });

  test('is told of more than there is', async () => {
    const pod = await pods.start([{ line: 'exit 0', resources: { requests: { cpu: '1k' } } }]);
    await eventually(() => {
      expect(pod.journal()).toContain('requests.cpu is more than this host has');
    });
    expect((await endOf(pod)).phase).toBe('Succeeded');
  });
});

describe('a pod that writes more to disk than it may', () => {
  const limits = { limits: { 'ephemeral-storage': '2Mi' } };
  const stay = 'while :; do sleep 0.1; done';

  test('is evicted for what a container wrote, what it printed, and what is in its volumes', async () => {
    const line = `head -c 3000000 /dev/zero > /x; ${stay}`;
    const wrote = await pods.start([
      { name: 'a', line, resources: limits },
      { name: 'b', line: stay, resources: { limits: { 'ephemeral-storage': '100Mi' } } },
    ]);
    const printed = await pods.start([{ line: `yes | head -c 3000000; ${stay}`, resources: limits }]);
    const filled = await pods.start(
      [
        {
          line: `head -c 3000000 /dev/zero > /v/x; ${stay}`,
          resources: limits,
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        },
      ],
      { volumes: [{ name: 'v', emptyDir: {} }] },
    );
    const below = await pods.start([{ line: 'head -c 1000000 /dev/zero > /x; sleep 12; exit 0', resources: limits }]);
    const total = 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ';
    const own = 'Container a exceeded its local ephemeral storage limit "2Mi". ';
    const evicted = { phase: 'Failed', reason: 'Evicted' };
    expect(await endOf(wrote)).toMatchObject({ ...evicted, message: own });
    expect(await endOf(printed)).toMatchObject({ ...evicted, message: total });
    expect(await endOf(filled)).toMatchObject({ ...evicted, message: total });
    expect((await endOf(below)).phase).toBe('Succeeded');
  });
});
