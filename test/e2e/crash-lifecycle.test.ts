import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const SECOND = 1_000_000_000n;

const obedient = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const server = 'mkdir -p /w; echo ok > /w/index.html; exec busybox httpd -f -p 8080 -h /w';
const probe = (line: string) => ({
  exec: { command: ['/bin/sh', '-c', line] },
  periodSeconds: 1,
  failureThreshold: 1,
});

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(() => victim.clear());
afterAll(() => victim.remove());

/** Begins a delete, kills the owner once `begun` is in the journal, and waits for the end under the next one. */
async function killDuringDelete(name: string, begun: () => Promise<void>): Promise<void> {
  const call = victim.start('delete', 'pod', name);
  await eventually(begun);
  await victim.killSupervisor();
  expect(await call.done).toMatchObject({ code: 0 });
}

describe('an owner that is killed', () => {
  test('over a sleeping preStop: the next one sleeps the rest, and SIGKILL keeps its moment', async () => {
    await victim.create('asleep', "trap '' TERM; while :; do sleep 0.05; done", {
      container: { lifecycle: { preStop: { sleep: { seconds: 2 } } } },
      terminationGracePeriodSeconds: 5,
    });
    await victim.until('asleep', 'running');
    const view = await victim.pod('asleep');
    await killDuringDelete('asleep', async () => {
      expect(await victim.entries(view, 'hook-start')).toHaveLength(1);
    });
    const [asked] = await victim.entries(view, 'terminate');
    const [end, ...more] = await victim.entries(view, 'hook-end');
    const [term, kill] = await victim.entries(view, 'signal');
    expect(end).toMatchObject({ handler: 'sleep 2 s', outcome: 'ok' });
    expect(more).toEqual([]);
    expect(end?.seconds).toBeGreaterThanOrEqual(2);
    expect(kill).toMatchObject({ signal: 'SIGKILL', why: 'deadline' });
    expect(BigInt(term?.at ?? 0) - BigInt(asked?.t ?? 0)).toBeGreaterThanOrEqual(2n * SECOND);
    const since = BigInt(kill?.at ?? 0) - BigInt(asked?.t ?? 0);
    expect(since).toBeGreaterThanOrEqual(5n * SECOND);
    expect(since).toBeLessThan((61n * SECOND) / 10n);
  });

  test('over a request that nobody answers: the next one sends it again, within the same grace period', async () => {
    const silent = 'while :; do nc -l -p 9000 >> /asked < /dev/zero > /dev/null & wait; done';
    await victim.create('silent', `trap 'exit 0' TERM; ${silent}`, {
      container: { lifecycle: { preStop: { httpGet: { port: 9000 } } } },
      terminationGracePeriodSeconds: 4,
    });
    await victim.until('silent', 'running');
    const view = await victim.pod('silent');
    await killDuringDelete('silent', async () => {
      expect(await victim.entries(view, 'hook-start')).toHaveLength(1);
    });
    const [asked] = await victim.entries(view, 'terminate');
    const [exit] = await victim.entries(view, 'exit');
    expect(await victim.entries(view, 'hook-end')).toMatchObject([{ hook: 'preStop' }]);
    expect(BigInt(exit?.at ?? 0) - BigInt(asked?.t ?? 0)).toBeLessThan(8n * SECOND);
  });

  test('knows nothing less of a pod’s readiness, and goes on probing', async () => {
    await victim.create('probed', `touch /ok; ${obedient}`, { container: { readinessProbe: probe('test -e /ok') } });
    const ready = async (expected: boolean): Promise<void> => {
      const view = await victim.pod('probed');
      expect(view.object.status?.containerStatuses?.[0]?.ready).toBe(expected);
    };
    await eventually(() => ready(true));
    await victim.killSupervisor();
    await ready(true);
    await victim.adopted('probed');
    await ready(true);
    expect(await victim.run('exec', 'probed', '--', 'rm', '/ok')).toMatchObject({ code: 0 });
    await eventually(() => ready(false));
  });

  test('does not keep a liveness probe from killing', async () => {
    await victim.create('frail', `touch /ok; ${obedient}`, { container: { livenessProbe: probe('test -e /ok') } });
    await victim.until('frail', 'running');
    await victim.killSupervisor();
    await victim.adopted('frail');
    expect(await victim.run('exec', 'frail', '--', 'rm', '/ok')).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await victim.container('frail')).restartCount).toBe(1);
    });
  });

  test('between init containers: none runs twice, and the pod comes to run', async () => {
    const once = (name: string) => ({
      name,
      image: 'busybox',
      imagePullPolicy: 'Never',
      command: ['/bin/sh', '-c', `echo ${name} >> /v/ran; sleep 0.5`],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    });
    await victim.create('steps', obedient, {
      initContainers: [once('one'), once('two'), once('three')],
      volumes: [{ name: 'v', emptyDir: {} }],
      container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    });
    await eventually(async () => {
      expect((await victim.pod('steps')).record.containers[1]?.state.phase).toBe('running');
    });
    await victim.killSupervisor();
    await victim.adopted('steps');
    await eventually(async () => {
      expect((await victim.pod('steps')).object.status?.phase).toBe('Running');
    });
    expect(await victim.run('exec', 'steps', '--', 'cat', '/v/ran')).toMatchObject({ stdout: 'one\ntwo\nthree\n' });
  });

  test('over a pod that ends: its sidecars still come last', async () => {
    const sidecar = {
      name: 's',
      image: 'busybox',
      imagePullPolicy: 'Never',
      restartPolicy: 'Always',
      command: ['/bin/sh', '-c', obedient],
    };
    await victim.create('last', "trap 'sleep 2; exit 0' TERM; while :; do sleep 0.05; done", {
      initContainers: [sidecar],
    });
    await eventually(async () => {
      expect((await victim.pod('last')).object.status?.phase).toBe('Running');
    });
    const view = await victim.pod('last');
    await killDuringDelete('last', async () => {
      expect(await victim.entries(view, 'signal')).toMatchObject([{ container: 'c' }]);
    });
    const ends = (await victim.entries(view, 'exit')).toSorted((a, b) => Number(BigInt(a.at) - BigInt(b.at)));
    expect(ends).toMatchObject([
      { container: 'c', exitCode: 0 },
      { container: 's', exitCode: 0 },
    ]);
    const [, second] = await victim.entries(view, 'signal');
    expect(BigInt(second?.at ?? 0)).toBeGreaterThanOrEqual(BigInt(ends[0]?.at ?? 0));
  });
});

test('a container that serves is told of as ready by its own address', async () => {
  await victim.create('web', server, {
    container: { readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 } },
    terminationGracePeriodSeconds: 1,
  });
  await eventually(async () => {
    expect((await victim.pod('web')).object.status?.containerStatuses?.[0]?.ready).toBe(true);
  });
});
