import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const SECOND = 1_000_000_000n;
const obedient = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const deaf = "trap '' TERM; while :; do sleep 0.05; done";

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(() => victim.clear());
afterAll(() => victim.remove());

function container(name: string, line: string, more: object = {}): object {
  return { name, image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line], ...more };
}

async function seen(pod: string, shows: (status: string) => boolean): Promise<void> {
  await eventually(async () => {
    const { stdout } = await victim.run('get', 'pod', pod);
    expect(shows(stdout.split('\n')[1] ?? '')).toBe(true);
  });
}

/** Seconds from the request to the end of each container, by the journal. */
async function endings(view: Awaited<ReturnType<Victim['pod']>>): Promise<Record<string, number>> {
  const [asked] = await victim.entries(view, 'terminate');
  const exits = await victim.entries(view, 'exit');
  return Object.fromEntries(
    exits.map(({ container: name, at }) => [name, Number(BigInt(at) - BigInt(asked?.t ?? 0)) / 1e9]),
  );
}

describe('a delete', () => {
  test('during an init container ends that, and what comes after it never begins', async () => {
    await victim.create('early', obedient, {
      initContainers: [container('i', obedient)],
      terminationGracePeriodSeconds: 20,
    });
    await seen('early', (line) => line.includes('Init:0/1'));
    await eventually(async () => {
      expect((await victim.pod('early')).record.containers[0]?.state.phase).toBe('running');
    });
    const view = await victim.pod('early');
    const { code, stderr } = await victim.run('delete', 'pod', 'early');
    expect(code).toBe(0);
    expect(stderr).toContain('c: never started');
    expect(Object.keys(await endings(view))).toEqual(['i']);
    expect((await endings(view))['i']).toBeLessThan(10);
  });

  test('during the back-off starts nothing more', async () => {
    await victim.create('crashing', 'exit 3');
    await seen('crashing', (line) => line.includes('CrashLoopBackOff'));
    const view = await victim.pod('crashing');
    expect(await victim.run('delete', 'pod', 'crashing')).toMatchObject({ code: 0 });
    expect(await victim.entries(view, 'exit')).toHaveLength(2);
    expect(await victim.entries(view, 'signal')).toEqual([]);
  });

  test('runs every preStop at once, and stops sidecars last, in reverse order, on one clock', async () => {
    const lifecycle = { preStop: { sleep: { seconds: 1 } } };
    const sidecar = (name: string, line: string) => container(name, line, { restartPolicy: 'Always', lifecycle });
    await victim.create('crew', "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done", {
      initContainers: [sidecar('first', obedient), sidecar('second', obedient)],
      container: { lifecycle },
      terminationGracePeriodSeconds: 20,
    });
    await seen('crew', (line) => line.includes('3/3'));
    const view = await victim.pod('crew');
    expect(await victim.run('delete', 'pod', 'crew')).toMatchObject({ code: 0 });
    const starts = (await victim.entries(view, 'hook-start')).map(({ t }) => BigInt(t));
    expect(starts).toHaveLength(3);
    expect((starts.at(-1) ?? 0n) - (starts[0] ?? 0n)).toBeLessThan(SECOND / 2n);
    const signals = await victim.entries(view, 'signal');
    expect(signals.map(({ container: name }) => name)).toEqual(['c', 'second', 'first']);
    const ends = await endings(view);
    expect(ends['c']).toBeGreaterThanOrEqual(2);
    expect(ends['second']).toBeGreaterThanOrEqual(ends['c'] ?? 0);
    expect(ends['first']).toBeGreaterThanOrEqual(ends['second'] ?? 0);
  });

  test('by force leaves a sidecar no more time than the others', async () => {
    await victim.create('forced', deaf, { initContainers: [container('s', deaf, { restartPolicy: 'Always' })] });
    await seen('forced', (line) => line.includes('2/2'));
    const view = await victim.pod('forced');
    expect(await victim.run('delete', 'pod', 'forced', '--grace-period=0', '--force')).toMatchObject({ code: 0 });
    for (const seconds of Object.values(await endings(view))) expect(seconds).toBeLessThan(4.5);
  });
});

describe('a probe', () => {
  const failing = { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 };

  test('that kills gives its own grace, runs preStop, and the container comes back without a back-off', async () => {
    await victim.create('weak', deaf, {
      container: {
        livenessProbe: { ...failing, terminationGracePeriodSeconds: 2 },
        lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'echo going'] } } },
      },
      terminationGracePeriodSeconds: 60,
    });
    const view = await victim.pod('weak');
    await eventually(async () => {
      expect((await victim.container('weak')).restartCount).toBe(1);
    });
    const [term, kill] = await victim.entries(view, 'signal');
    expect(BigInt(kill?.at ?? 0) - BigInt(term?.at ?? 0)).toBeLessThan((25n * SECOND) / 10n);
    expect(await victim.entries(view, 'hook-end')).toMatchObject([{ hook: 'preStop', outcome: 'ok' }]);
    const [exit] = await victim.entries(view, 'exit');
    const again = (await victim.entries(view, 'event')).filter(({ reason }) => reason === 'Started')[1];
    expect(BigInt(again?.t ?? 0) - BigInt(exit?.at ?? 0)).toBeLessThan(3n * SECOND);
    expect((await victim.run('delete', 'pod', 'weak', '--now')).code).toBe(0);
  });

  test('of startup that never succeeds keeps the next container waiting', async () => {
    const sidecar = container('s', obedient, { restartPolicy: 'Always', startupProbe: failing });
    await victim.create('stuck', obedient, { initContainers: [sidecar], terminationGracePeriodSeconds: 5 });
    const view = await victim.pod('stuck');
    await eventually(async () => {
      const killed = (await victim.entries(view, 'event')).filter(({ reason }) => reason === 'Killing');
      expect(killed[0]?.message).toBe('Init container s failed startup probe');
    });
    expect((await victim.container('stuck')).name).toBe('s');
    expect((await victim.pod('stuck')).record.containers[1]?.state).toEqual({
      phase: 'waiting',
      reason: 'PodInitializing',
    });
  });
});

describe('a hook', () => {
  test('over https falls back to http, and an event tells', async () => {
    const httpd = 'mkdir -p /w; echo ok > /w/index.html; busybox httpd -p 8443 -h /w;';
    await victim.create('plain', `${httpd} ${obedient}`, {
      container: { lifecycle: { preStop: { httpGet: { scheme: 'HTTPS', port: 8443 } } } },
    });
    await victim.until('plain', 'running');
    const view = await victim.pod('plain');
    expect(await victim.run('delete', 'pod', 'plain')).toMatchObject({ code: 0 });
    const events = await victim.entries(view, 'event');
    expect(events.find(({ reason }) => reason === 'LifecycleHTTPFallback')?.message).toMatch(
      /^request to HTTPS lifecycle hook [\d.]+:8443 got HTTP response, retry with HTTP succeeded$/,
    );
    expect(await victim.entries(view, 'hook-end')).toMatchObject([{ outcome: 'ok', message: 'HTTP 200' }]);
  });

  test('shows what it was answered in describe and in the logs of hooks', async () => {
    const httpd = 'mkdir -p /w; echo hello > /w/index.html; busybox httpd -p 8080 -h /w;';
    await victim.create('told', `${httpd} ${obedient}`, {
      // Its own server may not listen yet when the hook comes.
      initContainers: [
        container('s', `${httpd} ${obedient}`, {
          restartPolicy: 'Always',
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        }),
      ],
      container: { command: ['/bin/sh', '-c', obedient], lifecycle: { postStart: { httpGet: { port: 8080 } } } },
    });
    await seen('told', (line) => line.includes('2/2'));
    expect((await victim.run('describe', 'pod', 'told')).stdout).toContain('hello');
    expect((await victim.run('logs', 'told', '--hooks')).stdout).toContain('[c postStart] hello');
  });
});

test('a pod whose time is over ends as Failed, and says why', async () => {
  await victim.create('late', obedient, { activeDeadlineSeconds: 2, restartPolicy: 'Never' });
  await eventually(async () => {
    expect((await victim.pod('late')).object.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });
  expect((await victim.run('describe', 'pod', 'late')).stdout).toMatch(/^Reason:\s+DeadlineExceeded$/m);
});
