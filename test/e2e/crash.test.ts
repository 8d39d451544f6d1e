import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { underSystemd } from '../../src/sys/host.ts';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const SECOND = 1_000_000_000n;
const ROUNDS = 20;
const FIRST_MS = 300;

const obedient = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
const deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done";
const sh = (line: string) => ({ exec: { command: ['/bin/sh', '-c', line] } });
const hooked = (lifecycle: object) => ({ container: { lifecycle } });

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(() => victim.clear());
afterAll(() => victim.remove());

describe('a supervisor that is killed', () => {
  test('while a container runs leaves it alone, and the next one ends it gracefully', async () => {
    await victim.create('steady', obedient, hooked({ preStop: sh('echo last will') }));
    await victim.until('steady', 'running');
    const view = await victim.pod('steady');
    const pids = await victim.pids('steady');
    await victim.killSupervisor();
    expect(await victim.run('exec', 'steady', '--', 'echo', 'hi')).toMatchObject({ code: 0, stdout: 'hi\n' });
    expect(await victim.run('logs', 'steady')).toMatchObject({ code: 0, stdout: 'up\n' });
    expect((await victim.pids('steady'))[0]).toBe(pids[0]);
    expect(await victim.run('delete', 'pod', 'steady')).toMatchObject({ code: 0 });
    expect(await victim.entries(view, 'hook-end')).toMatchObject([{ hook: 'preStop', outcome: 'ok' }]);
    expect(await victim.entries(view, 'signal')).toMatchObject([{ signal: 'SIGTERM', why: 'stop' }]);
    expect(await victim.entries(view, 'exit')).toMatchObject([{ exitCode: 0 }]);
  });

  test('during preStop loses neither the hook nor the deadline', async () => {
    await victim.create('midway', deaf, {
      ...hooked({ preStop: sh('touch /begun; sleep 2; echo done') }),
      terminationGracePeriodSeconds: 5,
    });
    await victim.until('midway', 'running');
    const view = await victim.pod('midway');
    const call = victim.start('delete', 'pod', 'midway');
    await made('midway', '/begun');
    await victim.killSupervisor();
    // Who waits for the end has the pod adopted.
    expect(await call.done).toMatchObject({ code: 0 });
    const [asked] = await victim.entries(view, 'terminate');
    const ends = await victim.entries(view, 'hook-end');
    const [term, kill] = await victim.entries(view, 'signal');
    const [exit] = await victim.entries(view, 'exit');
    expect(await victim.entries(view, 'hook-start')).toHaveLength(1);
    expect(ends).toMatchObject([{ hook: 'preStop', outcome: 'ok', output: expect.stringContaining('done') as string }]);
    expect([term, kill, exit]).toMatchObject([
      { signal: 'SIGTERM', why: 'stop' },
      { signal: 'SIGKILL', why: 'deadline' },
      { exitCode: 137 },
    ]);
    const since = BigInt(kill?.at ?? 0) - BigInt(asked?.t ?? 0);
    expect(since).toBeGreaterThan(4n * SECOND);
    // Only whole seconds of the hook are deducted.
    expect(since).toBeLessThan((61n * SECOND) / 10n);
    expect(BigInt(kill?.at ?? 0) - BigInt(term?.at ?? 0)).toBeGreaterThanOrEqual(2n * SECOND);
  });

  test('with a container that ends while nobody looks: the hook that ran in it ends too', async () => {
    const preStop = sh('echo asked; touch /go; sleep 60');
    await victim.create('unseen', 'until [ -e /go ]; do sleep 0.05; done; sleep 2; exit 3', {
      ...hooked({ preStop }),
      restartPolicy: 'Never',
    });
    await victim.until('unseen', 'running');
    const view = await victim.pod('unseen');
    expect(await victim.run('delete', 'pod', 'unseen', '--wait=false')).toMatchObject({ code: 0 });
    await made('unseen', '/go');
    const pids = await victim.pids('unseen');
    await victim.killSupervisor();
    await gone(pids);
    expect(await victim.run('delete', 'pod', 'unseen')).toMatchObject({ code: 0 });
    const [end] = await victim.entries(view, 'hook-end');
    expect(end).toMatchObject({ outcome: 'failed', exitCode: 137, output: expect.stringContaining('asked') as string });
    expect(await victim.entries(view, 'exit')).toMatchObject([{ exitCode: 3 }]);
    expect(await victim.entries(view, 'signal')).toEqual([]);
  });

  test('after the stop signal: SIGKILL comes at its moment all the same', async () => {
    await victim.create('deaf', deaf, { terminationGracePeriodSeconds: 3 });
    await victim.until('deaf', 'running');
    const view = await victim.pod('deaf');
    expect(await victim.run('delete', 'pod', 'deaf', '--wait=false')).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect(await victim.entries(view, 'signal')).toHaveLength(1);
    });
    const pids = await victim.pids('deaf');
    expect(pids).not.toEqual([]);
    await victim.killSupervisor();
    await gone(pids);
    // systemd starts the next one by itself; it is not the one that would have killed.
    expect(victim.supervisor() === undefined || underSystemd()).toBe(true);
    const { stderr, code } = await victim.run('delete', 'pod', 'deaf');
    expect(code).toBe(0);
    expect(stderr).toMatch(/c: killed 3\.0 s after SIGTERM: the grace period was over/);
    const [term, kill] = await victim.entries(view, 'signal');
    const grace = BigInt(kill?.at ?? 0) - BigInt(term?.at ?? 0);
    expect(grace).toBeGreaterThanOrEqual(3n * SECOND);
    expect(grace).toBeLessThan((31n * SECOND) / 10n);
  });

  test('during postStart: the hook is taken up where it is', async () => {
    const file = victim.manifest('begun', obedient, hooked({ postStart: sh('touch /begun; sleep 3; echo done') }));
    expect(await victim.run('create', '-f', file)).toMatchObject({ code: 0 });
    const view = await victim.pod('begun');
    await made('begun', '/begun');
    await victim.killSupervisor();
    expect((await victim.container('begun')).state.phase).toBe('starting');
    await victim.adopted('begun');
    expect(await victim.until('begun', 'running')).toMatchObject({ restartCount: 0 });
    expect(await victim.entries(view, 'hook-start')).toHaveLength(1);
    expect(await victim.entries(view, 'hook-end')).toMatchObject([{ hook: 'postStart', outcome: 'ok' }]);
  });

  test(`at any moment of a pod's beginning, ${ROUNDS} times: it comes to run, once`, { timeout: 900_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `start-${round}`;
      const file = victim.manifest(name, obedient, {
        ...hooked({ postStart: sh('echo hooked >> /hooks') }),
        restartPolicy: 'Never',
      });
      const call = victim.start('create', '-f', file);
      await eventually(async () => {
        await victim.pod(name);
        expect(victim.supervisor()).toBeDefined();
      });
      const moment = Math.random() * FIRST_MS;
      await delay(moment);
      await victim.killSupervisor();
      const { code, stderr } = await call.done;
      expect({ code, stderr, moment }).toMatchObject({ code: 0 });
      await victim.adopted(name);
      const { restartCount, last } = await victim.until(name, 'running');
      expect({ moment, restartCount, last }).toEqual({ moment, restartCount: 0, last: undefined });
      expect(await victim.monitors(name)).toHaveLength(1);
      expect(await victim.run('delete', 'pod', name, '--now')).toMatchObject({ code: 0 });
    }
  });
});

describe('others that are killed', () => {
  test('a foreground run: the pod is adopted by who ends it', async () => {
    const run = victim.start('run', victim.manifest('left', obedient, hooked({ preStop: sh('echo last will') })));
    await run.says(/up\n/);
    const view = await victim.pod('left');
    run.kill('SIGKILL');
    await run.done;
    expect(await victim.run('exec', 'left', '--', 'true')).toMatchObject({ code: 0 });
    expect(await victim.run('stop', 'left')).toMatchObject({ code: 0 });
    expect(await victim.entries(view, 'hook-end')).toMatchObject([{ hook: 'preStop', outcome: 'ok' }]);
    expect(await victim.entries(view, 'exit')).toMatchObject([{ exitCode: 0 }]);
    expect(await victim.run('delete', 'pod', 'left')).toMatchObject({ code: 0 });
  });

  test('a monitor: its container dies with it, and the restart policy applies', async () => {
    await victim.create('orphan', deaf);
    await victim.until('orphan', 'running');
    const pids = await victim.pids('orphan');
    for (const monitor of await victim.monitors('orphan')) process.kill(monitor, 'SIGKILL');
    await gone(pids);
    const again = await eventually(async () => {
      const container = await victim.until('orphan', 'running');
      expect(container.restartCount).toBe(1);
      return container;
    });
    expect(again.last).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' });
  });
});

describe('many at once', () => {
  test('two of one name: one wins', async () => {
    const file = victim.manifest('twin', obedient);
    const results = await Promise.all([victim.run('create', '-f', file), victim.run('create', '-f', file)]);
    const [won, lost] = results.toSorted((a, b) => a.code - b.code);
    expect(won).toMatchObject({ code: 0 });
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining('error[pod.exists]') as string });
    await victim.until('twin', 'running');
  });

  test('ten pods and no supervisor: one comes, and all run', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `many-${index}`);
    expect(victim.supervisor()).toBeUndefined();
    await Promise.all(names.map((name) => victim.create(name, obedient)));
    const owner = victim.supervisor();
    for (const name of names) await victim.until(name, 'running', 60_000);
    expect(victim.supervisor()).toBe(owner);
  });
});

/** Waits until a hook made a file: then it runs, and not only its beginning was noted. An exec would take too long. */
async function made(pod: string, path: string): Promise<void> {
  await eventually(async () => {
    const [pid] = await victim.pids(pod);
    expect(pid !== undefined && existsSync(`/proc/${pid}/root${path}`)).toBe(true);
  });
}

async function gone(pids: readonly number[]): Promise<void> {
  await eventually(() => {
    expect(pids.filter(isAlive)).toEqual([]);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
