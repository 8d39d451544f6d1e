import { describe, expect, test } from 'vitest';
import { useCli } from '../support/cli.ts';

const cli = useCli('busybox');

const sh = (line: string, more: object = {}) => ({
  name: 'c',
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/sh', '-c', line],
  ...more,
});
const once = (...containers: object[]) => ({ restartPolicy: 'Never', containers });
const obedient = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
const deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done";

describe('run in the foreground', () => {
  test.each<[what: string, line: string, code: number, stdout: string]>([
    ['ends with 0 when the pod succeeded', 'echo hello; echo oops >&2', 0, 'hello\noops\n'],
    ["ends with the only container's code", 'echo hello; exit 7', 7, 'hello\n'],
    ['prints what has no end of line as it is', 'printf DONE', 0, 'DONE'],
  ])('%s', async (_what, line, code, stdout) => {
    const result = await cli().run('run', cli().manifest('once', once(sh(line))), '--rm', '-q');
    expect(result).toEqual({ code, stdout, stderr: '' });
  });

  test('with several containers says whose line it is, and ends with 1 when one failed', async () => {
    const file = cli().manifest('two', once(sh('echo one', { name: 'a' }), sh('echo two; exit 9', { name: 'b' })));
    const { code, stdout } = await cli().run('run', file, '--rm');
    expect(code).toBe(1);
    expect(stdout.split('\n').toSorted()).toEqual(['', '[a] one', '[b] two']);
  });

  test('tells on stderr what happens, hooks and their output included', async () => {
    const lifecycle = { postStart: { exec: { command: ['/bin/sh', '-c', 'echo from the hook'] } } };
    const { stderr, stdout } = await cli().run(
      'run',
      cli().manifest('hooked', once(sh('sleep 1; echo done', { lifecycle }))),
      '--rm',
    );
    expect(stdout).toBe('done\n');
    expect(stderr).toMatch(/^pod\/hooked created\n/);
    expect(stderr).toMatch(/c: Started: Container started\n[^]*\[c postStart\] from the hook\n[^]*c: exited 0\n/);
  });

  test('at Ctrl-C ends the pod gracefully and then itself, with 0', async () => {
    const call = cli().start(['run', cli().manifest('polite', once(sh(obedient)))]);
    await call.says(/up\n/);
    call.kill('SIGINT');
    const { code, stdout, stderr } = await call.done;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'up\nbye\n' });
    expect(stderr).toMatch(/c: SIGTERM, exited 0 with (30\.0|29\.\d) s of grace left\n$/);
    expect((await cli().run('get', 'pod', 'polite')).stdout).toMatch(/polite +0\/1 +Completed/);
    expect((await cli().run('logs', 'polite')).stdout).toBe('up\nbye\n');
  });

  test('at a terminal, where Ctrl-C reaches everything in the foreground, it is the same', async () => {
    const terminal = cli().terminal(['run', '--rm', cli().manifest('typed', once(sh(obedient)))]);
    await terminal.shows(/up\r\n/);
    terminal.type('\u0003');
    expect(await terminal.done).toMatchObject({ code: 0 });
    expect(terminal.screen).toMatch(/bye\r\n[^]*c: SIGTERM, exited 0 with/);
  });

  test('ends gracefully when nobody reads its output any more', async () => {
    const file = cli().manifest('unread', once(sh("trap 'exit 0' TERM; while :; do echo line; sleep 0.01; done")));
    const call = cli().start(['run', file, '--rm']);
    await call.says(/line/);
    call.stopReading();
    expect(await call.done).toMatchObject({ code: 0 });
    expect(call.stderr).toMatch(/c: SIGTERM, exited 0 with/);
  });

  test('replaces an ended pod of that name, and says so', async () => {
    const { stderr, code } = await cli().run('run', cli().manifest('polite', once(sh('exit 0'))));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^pod "polite" had ended \(Succeeded\) and is replaced\npod\/polite created\n/);
  });

  test('at a second Ctrl-C kills, and ends with 137', async () => {
    const call = cli().start(['run', cli().manifest('deaf', once(sh(deaf))), '--rm']);
    await call.says(/up\n/);
    call.kill('SIGINT');
    await call.says(/once more to kill/);
    await call.says(/SIGTERM/);
    call.kill('SIGINT');
    expect(await call.done).toMatchObject({ code: 137 });
    expect(await cli().run('get', 'pod', 'deaf')).toMatchObject({ code: 1 });
  });

  test('ends with 137 when the grace period was too short', async () => {
    const file = cli().manifest('short', { ...once(sh(deaf)), terminationGracePeriodSeconds: 1 });
    const { code, stderr } = await cli().run('run', file, '--rm', '--until', 'ready');
    expect(code).toBe(137);
    expect(stderr).toMatch(/c: killed 2\.0 s after SIGTERM: the grace period was over; exited 137 by SIGKILL\n$/);
  });

  test.each([
    ['ready', obedient, 0],
    ['500ms', obedient, 0],
    ['completed', 'exit 0', 0],
  ])('--until %s stops by itself', async (until, line, code) => {
    const file = cli().manifest('until', { containers: [sh(line)] });
    expect(await cli().run('run', file, '--rm', '--until', until)).toMatchObject({ code });
  });

  test('--timeout stops gracefully and ends with 124', async () => {
    const call = await cli().run('run', cli().manifest('late', once(sh(obedient))), '--rm', '--timeout', '1s');
    expect(call).toMatchObject({ code: 124, stdout: 'up\nbye\n' });
    expect(call.stderr).toMatch(/timed out after 1 s/);
  });

  test('-o json prints the pod as it ended, and nothing else', async () => {
    const { stdout, stderr, code } = await cli().run(
      'run',
      cli().manifest('json', once(sh('echo out; exit 4'))),
      '--rm',
      '-o',
      'json',
    );
    expect(code).toBe(4);
    expect(stderr).toContain('out\n');
    const pod = JSON.parse(stdout) as { status: { phase: string; containerStatuses: { state: object }[] } };
    expect(pod.status.phase).toBe('Failed');
    expect(pod.status.containerStatuses[0]?.state).toMatchObject({ terminated: { exitCode: 4, reason: 'Error' } });
  });

  test('an image that is not here and may not be pulled is an error before anything is registered', async () => {
    const result = await cli().run(
      'run',
      '--pull',
      'never',
      cli().manifest('none', once(sh('', { image: 'nowhere/app:1' }))),
    );
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^error\[image\.not-found\]: find image: nowhere\/app:1: .*\nhint: .*minirt load/);
    expect(await cli().run('get', 'pod', 'none')).toMatchObject({ code: 1 });
  });

  test('every problem of a manifest has its place', async () => {
    const file = cli().file('wrong.yaml', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containerz: []\n');
    const { code, stderr } = await cli().run('run', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/wrong\.yaml:6:3: spec\.containerz/);
  });
});

describe('run -d', () => {
  test('returns when the container has started, postStart included', async () => {
    const lifecycle = { postStart: { exec: { command: ['/bin/sh', '-c', 'sleep 0.5; echo ready > /tmp/hooked'] } } };
    const result = await cli().run(
      'run',
      '-d',
      cli().manifest('daemon', { containers: [sh(obedient, { lifecycle })] }),
    );
    expect(result).toMatchObject({ code: 0, stdout: 'pod/daemon started\n' });
    expect(await cli().run('exec', 'daemon', '--', 'cat', '/tmp/hooked')).toMatchObject({ code: 0, stdout: 'ready\n' });
  });

  test('does not take the name of a running pod, unless told to', async () => {
    const file = cli().manifest('daemon', { containers: [sh(obedient)] });
    const refused = await cli().run('run', '-d', file);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toMatch(/^error\[pod\.exists\]: pods "daemon" already exists\nhint: .*--replace/);
    expect(await cli().run('run', '-d', '--replace', file)).toMatchObject({ code: 0 });
    expect(await cli().run('run', '-d', '--name', 'other', file)).toMatchObject({
      code: 0,
      stdout: 'pod/other started\n',
    });
  });

  test('ends with 1 and says why when a container did not start', async () => {
    const lifecycle = { postStart: { exec: { command: ['/bin/sh', '-c', 'echo no luck >&2; exit 1'] } } };
    const result = await cli().run(
      'run',
      '-d',
      cli().manifest('broken', { containers: [sh(obedient, { lifecycle })] }),
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/start pod: broken: container c: PostStartHookError/);
    expect(result.stderr).toMatch(/\[c postStart\] no luck/);
    await cli().run('delete', 'pod', 'broken');
  });
});
