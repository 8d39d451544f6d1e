import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
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
