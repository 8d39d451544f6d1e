import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { eventually, useCli } from '../support/cli.ts';

const example = fileURLToPath(new URL('../../examples/lifecycle-events.yaml', import.meta.url));

const cli = useCli('nginx');

describe("Kubernetes' tutorial of lifecycle hooks", () => {
  test('is played as written, at a real terminal', async () => {
    expect(await cli().run('create', '-f', example)).toEqual({
      code: 0,
      stdout: 'pod/lifecycle-demo created\n',
      stderr: '',
    });
    await eventually(async () => {
      expect((await cli().run('get', 'pod', 'lifecycle-demo')).stdout).toMatch(
        /^NAME +READY +STATUS +RESTARTS +AGE\nlifecycle-demo +1\/1 +Running +0 +\d+s\n$/,
      );
    });
    const shell = cli().terminal(['exec', '-it', 'lifecycle-demo', '--', '/bin/bash']);
    let at = await shell.shows(/root@lifecycle-demo:\/# /);
    shell.type('cat /usr/share/message\r');
    at = await shell.shows(/\rHello from the postStart handler\r\n/, at);
    await shell.shows(/root@lifecycle-demo:\/# /, at);
    shell.type('exit 3\r');
    expect(await shell.done).toMatchObject({ code: 3 });
    expect(shell.screen).toContain('command terminated with exit code 3');
    const deleted = await cli().run('delete', 'pod', 'lifecycle-demo');
    expect(deleted).toMatchObject({ code: 0, stdout: 'pod "lifecycle-demo" deleted from default namespace\n' });
    expect(deleted.stderr).toMatch(
      /^lifecycle-demo-container: preStop exec exit (0|137) in \d\.\d s; (SIGQUIT, )?exited 0 with (30\.0|29\.\d|28\.\d) s of grace left\n$/,
    );
    expect(await cli().run('get', 'pod', 'lifecycle-demo')).toMatchObject({
      code: 1,
      stderr: 'error[pod.not-found]: pods "lifecycle-demo" not found\n',
    });
  });

  test('is a demo that reads what the hook wrote, whatever that is', async () => {
    const message = `It says ${Math.random().toString(36).slice(2)}.`;
    const { code, stdout, stderr } = await cli().run('demo', '--message', message);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain(`cat /usr/share/message`);
    expect(stdout).toMatch(new RegExp(`\\r${message}\\r\\n`));
    expect(stdout).not.toContain('Hello from');
    expect(stdout).toContain('pod "lifecycle-demo" deleted');
  });
});
