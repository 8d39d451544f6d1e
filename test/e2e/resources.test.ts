import { describe, expect, test } from 'vitest';
import { useCli } from '../support/cli.ts';
import { expectNoLeaks } from '../support/leaks.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli('busybox');

const limits = { limits: { cpu: '200m', memory: '48Mi' } };

function podOf(line: string, resources: object, more: object = {}): object {
  const container = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line] };
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    containers: [{ ...container, resources }],
    ...more,
  };
}

test('a pod with limits is shown with them, uses no more, and so does what is executed in it', async () => {
  const manifest = cli().manifest('busy', podOf('while :; do :; done', limits));
  expect(await cli().run('run', '-d', manifest)).toMatchObject({ code: 0 });
  expect((await cli().pod('busy')).status).toMatchObject({ qosClass: 'Guaranteed' });
  const { stdout: described } = await cli().run('describe', 'pod', 'busy');
  expect(described).toMatch(/ {4}Limits:\n {6}cpu: +200m\n {6}memory: +48Mi\n {4}Requests:\n {6}cpu: +200m\n/);
  expect(described).toMatch(/^QoS Class: +Guaranteed$/m);
  const { stdout: table } = await cli().run('top', 'pods');
  const [, cpu = 'none'] = /^NAME +CPU\(cores\) +MEMORY\(bytes\)\nbusy +(\d+)m +\d+Mi\n$/.exec(table) ?? [];
  expect(Number(cpu)).toBeLessThan(300);
  const { stdout: wide } = await cli().run('top', 'pod', 'busy', '--containers', '-o', 'wide', '--no-headers');
  expect(wide).toMatch(/^busy +c +\d+m +\d+Mi +[\d.]+% +[\d.]+%\n$/);
  const read = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null';
  const exec = await cli().run('exec', 'busy', '--', 'sh', '-c', read);
  expect(exec.stdout).toBe(`${48 * 2 ** 20}\n`);
  const hungry = await cli().run('exec', 'busy', '--', 'sh', '-c', 'x=a; while :; do x=$x$x; done');
  expect(hungry.code).toBe(137);
  await cli().run('delete', 'pod', 'busy', '--now');
});

describe('top', () => {
  test('has nothing to tell of pods that do not run', async () => {
    expect(await cli().run('top', 'pods')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('No resources found in default namespace.') as string,
    });
    expect(await cli().run('top', 'pod', 'nobody')).toMatchObject({ code: 1 });
    const manifest = cli().manifest('over', podOf('exit 0', {}));
    await cli().run('run', manifest);
    const over = await cli().run('top', 'pod', 'over');
    expect(over.code).toBe(1);
    expect(over.stderr).toContain('metrics not available for pod default/over: none of its containers runs');
    await cli().run('delete', 'pod', 'over');
  });
});

test('a container that runs out of memory says so everywhere', async () => {
  const manifest = cli().manifest('greedy', podOf('x=a; while :; do x=$x$x; done', { limits: { memory: '24Mi' } }));
  const run = await cli().run('run', manifest);
  expect(run.code).toBe(137);
  expect(run.stdout + run.stderr).toContain('c: exited 137 by SIGKILL, out of memory (OOMKilled)');
  expect((await cli().run('get', 'pod', 'greedy')).stdout).toMatch(/greedy +0\/1 +OOMKilled +0/);
  expect((await cli().run('describe', 'pod', 'greedy')).stdout).toMatch(/Reason: +OOMKilled\n +Exit Code: +137/);
  await cli().run('delete', 'pod', 'greedy');
});

test('what no host can give is refused with its place', async () => {
  const resources = { limits: { cpu: '1', memory: '1Gi', 'nvidia.com/gpu': 1 }, requests: { memory: '2Gi' } };
  const { code, stderr } = await cli().run('create', '-f', cli().manifest('bad', podOf('exit 0', resources)));
  expect(code).toBe(2);
  const at = 'spec.containers[0].resources';
  expect(stderr).toContain(`${at}.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi`);
  expect(stderr).toContain(`${at}.limits[nvidia.com/gpu]: Forbidden: 0/1 nodes are available: 1 Insufficient`);
});
