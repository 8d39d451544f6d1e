import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const obedient = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const sh = (line: string): object => ({ exec: { command: ['/bin/sh', '-c', line] } });
const limit = (duration: string): object => ({ metadata: { annotations: { 'minirt.dev/hook-timeout': duration } } });
const LIMIT = { outcome: 'failed', message: 'timed out after 1 s' };

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(() => victim.clear());
afterAll(() => victim.remove());

describe('a hook that takes longer than its limit', () => {
  test('is ended with all its descendants, and the container is not held up', async () => {
    const lifecycle = { preStop: sh('echo begun; sleep 1000 & sleep 1000') };
    await victim.create('long', obedient, {
      container: { lifecycle },
      terminationGracePeriodSeconds: 30,
      ...limit('1s'),
    });
    await victim.until('long', 'running');
    const view = await victim.pod('long');
    const { code, stderr } = await victim.run('delete', 'pod', 'long');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('timed out after 1 s') as string,
    });
    const [end] = await victim.entries(view, 'hook-end');
    expect(end).toMatchObject({ hook: 'preStop', ...LIMIT, output: expect.stringContaining('begun') as string });
    expect(end?.seconds).toBeGreaterThanOrEqual(1);
    expect(end?.seconds).toBeLessThan(5);
    const events = await victim.entries(view, 'event');
    expect(events.find(({ reason }) => reason === 'FailedPreStopHook')?.message).toContain('timed out after 1 s');
    expect(await victim.entries(view, 'signal')).toMatchObject([{ signal: 'SIGTERM', why: 'stop' }]);
    expect(await victim.entries(view, 'exit')).toMatchObject([{ exitCode: 0 }]);
  });

  test.each([
    ['a command', sh('sleep 1000')],
    ['a sleep', { sleep: { seconds: 20 } }],
    ['a request that nobody answers', { httpGet: { port: 9000, path: '/' } }],
  ])('has failed, and its container with it: %s', async (_, postStart) => {
    const silent = `nc -l -p 9000 -e sleep 1000 & ${obedient}`;
    const lifecycle = { postStart, preStop: sh('echo last will') };
    await victim.create('late', silent, { container: { lifecycle }, restartPolicy: 'Never', ...limit('1s') });
    await victim.until('late', 'exited');
    const view = await victim.pod('late');
    const [post, pre] = await victim.entries(view, 'hook-end');
    expect(post).toMatchObject({ hook: 'postStart', ...LIMIT });
    expect(pre).toMatchObject({ hook: 'preStop', outcome: 'ok' });
    const events = await victim.entries(view, 'event');
    expect(events.map(({ reason }) => reason)).toContain('FailedPostStartHook');
  });

  test('that the command line gives has it too, and it outweighs the one of the manifest', async () => {
    const lifecycle = { preStop: { sleep: { seconds: 10 } } };
    const path = victim.manifest('given', obedient, { container: { lifecycle }, ...limit('500s') });
    expect(await victim.run('run', '-d', '--hook-timeout', '1s', path)).toMatchObject({ code: 0 });
    const view = await victim.pod('given');
    expect(view.object.metadata?.annotations).toMatchObject({ 'minirt.dev/hook-timeout': '1s' });
    expect(await victim.run('delete', 'pod', 'given')).toMatchObject({ code: 0 });
    expect(await victim.entries(view, 'hook-end')).toMatchObject([LIMIT]);
  });

  test('a limit that is none is a usage error', async () => {
    expect(await victim.run('run', '--hook-timeout', 'soon', 'pod.yaml')).toMatchObject({ code: 2 });
    expect(await victim.run('run', '--hook-timeout', '0s', 'pod.yaml')).toMatchObject({ code: 2 });
  });
});
