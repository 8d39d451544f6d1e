import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readMountinfo } from '../../src/sys/mountinfo.ts';
import { eventually, useCli } from '../support/cli.ts';
import { expectNoLeaks } from '../support/leaks.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli('busybox');

/** A pod of one shell line with a volume `v` on /v. */
function podOf(line: string, volume: object, more: object = {}): object {
  const container = {
    name: 'c',
    image: 'busybox',
    imagePullPolicy: 'Never',
    command: ['/bin/sh', '-c', line],
    volumeMounts: [{ name: 'v', mountPath: '/v' }],
  };
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    containers: [container],
    volumes: [{ name: 'v', ...volume }],
    ...more,
  };
}

describe('a hostPath of the wrong type', () => {
  test('is told by run -d, and shown until it is right', async () => {
    const path = cli().file('host.txt', 'host\n');
    const manifest = cli().manifest('wrong', podOf('cat /v', { hostPath: { path, type: 'Directory' } }));
    const run = await cli().run('run', '-d', manifest);
    const message = `MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${path} is not a directory`;
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(message);
    expect((await cli().run('get', 'pod', 'wrong')).stdout).toMatch(/wrong +0\/1 +ContainerCreating +0/);
    expect(await cli().pod('wrong')).toMatchObject({
      status: {
        phase: 'Pending',
        containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
      },
    });
    const { stdout } = await cli().run('events', 'wrong');
    expect(stdout).toMatch(/Warning +FailedMount +[Pp]od\/wrong/);
    expect(stdout).not.toContain('FailedCreatePodSandBox');
    expect(await cli().run('delete', 'pod', 'wrong')).toMatchObject({ code: 0 });
  });

  test('runs as soon as it is right', async () => {
    const path = `${cli().roots.state}-late`;
    const manifest = cli().manifest('late', podOf('cat /v', { hostPath: { path, type: 'File' } }));
    expect(await cli().run('create', '-f', manifest)).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await cli().run('events', 'late')).stdout).toContain('FailedMount');
    });
    writeFileSync(path, 'late\n');
    await eventually(async () => {
      expect((await cli().pod('late')).status.phase).toBe('Succeeded');
    });
    expect((await cli().run('logs', 'late')).stdout).toBe('late\n');
    expect(await cli().run('delete', 'pod', 'late')).toMatchObject({ code: 0 });
  });
});

describe('volumes from objects', () => {
  const object = (kind: string, data: object): string =>
    cli().file(
      `${kind}.json`,
      JSON.stringify({
        apiVersion: 'v1',
        kind,
        metadata: { name: 'settings' },
        [kind === 'Secret' ? 'stringData' : 'data']: data,
      }),
    );
  const apply = async (kind: string, data: object): Promise<void> => {
    expect(await cli().run('apply', '-f', object(kind, data))).toMatchObject({ code: 0 });
  };
  const inside = async (name: string, line: string): Promise<string> =>
    (await cli().run('exec', name, '--', '/bin/sh', '-c', line)).stdout;

  test('follow a ConfigMap that is applied again, within a running container', async () => {
    await apply('ConfigMap', { color: 'blue', gone: 'x' });
    const manifest = cli().manifest('live', podOf('sleep 1000', { configMap: { name: 'settings' } }));
    expect(await cli().run('run', '-d', manifest)).toMatchObject({ code: 0 });
    expect(await inside('live', 'cat /v/color; echo; ls /v')).toBe('blue\ncolor\ngone\n');
    await apply('ConfigMap', { color: 'red', new: 'x' });
    await eventually(async () => {
      expect(await inside('live', 'cat /v/color; echo; ls /v')).toBe('red\ncolor\nnew\n');
    });
    expect(await cli().run('delete', 'pod', 'live')).toMatchObject({ code: 0 });
    expect(await cli().run('delete', 'configmap', 'settings')).toMatchObject({ code: 0 });
  });

  test('keep a Secret in memory, and nothing of it when the pod is gone', async () => {
    await apply('Secret', { password: 'very-much-hidden' });
    const secret = { secretName: 'settings', defaultMode: 0o400 };
    const manifest = cli().manifest('hidden', podOf('sleep 1000', { secret }));
    expect(await cli().run('run', '-d', manifest)).toMatchObject({ code: 0 });
    const about = 'stat -fc %T /v; stat -Lc %a /v/password; cat /v/password';
    expect(await inside('hidden', about)).toBe('tmpfs\n400\nvery-much-hidden');
    expect(memoryMounts()).toHaveLength(1);
    expect(await cli().run('delete', 'pod', 'hidden')).toMatchObject({ code: 0 });
    expect(memoryMounts()).toEqual([]);
    expect(await cli().run('delete', 'secret', 'settings')).toMatchObject({ code: 0 });
  });

  test('that are missing keep the pod waiting until they come', async () => {
    const manifest = cli().manifest('early', podOf('cat /v/color; echo', { configMap: { name: 'settings' } }));
    const run = await cli().run('run', '-d', manifest);
    const message = 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found';
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toContain(message);
    await apply('ConfigMap', { color: 'green' });
    await eventually(async () => {
      expect((await cli().run('logs', 'early')).stdout).toBe('green\n');
    });
    expect(await cli().run('delete', 'pod', 'early')).toMatchObject({ code: 0 });
    expect(await cli().run('delete', 'configmap', 'settings')).toMatchObject({ code: 0 });
  });

  const memoryMounts = (): readonly string[] =>
    readMountinfo()
      .filter(({ mountPoint, type }) => type === 'tmpfs' && mountPoint.startsWith(`${cli().roots.state}/m/`))
      .map(({ mountPoint }) => mountPoint)
      // What else a pod has in memory is not a volume of its own.
      .filter((path) => !/\/\.(etc|execs|shm)$/.test(path));
});
