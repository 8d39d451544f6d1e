import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type HookFiles, execCapture, readHookResult, startHook, waitHookResult } from '../../src/container/exec.ts';
import { createContainer } from '../../src/container/runtime.ts';
import { helperPath } from '../../src/helper/locate.ts';
import { TestHost, follow, until } from '../support/containers.ts';
import { buildInto, clientArgs, execRequest, leavesOf, pidsOf } from '../support/exec.ts';
import { isHost } from '../support/hosts.ts';

const EINTR = 4;
const never = new AbortController().signal;
const host = new TestHost();
afterAll(() => host.close());
await host.open();
const forEver = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];
const container = await host.run({ args: forEver });

describe('a client', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('that gets %s takes the command along, descendants included', async (signal, code) => {
    const request = execRequest(container, ['sh', '-c', 'sleep 1000 & setsid sleep 1000 & wait']);
    const client = spawn('/bin/sh', clientArgs(host.dir, request), { stdio: 'ignore' });
    await until('it runs', () => pidsOf(container, request).length === 3);
    client.kill(signal);
    expect(await exitOf(client)).toBe(code);
    await until('its leaf is gone', () => !leavesOf(container).includes(`exec-${request.id}`));
  });

  test('whose output nobody reads any more ends although the command is silent', async () => {
    const request = execRequest(container, ['sleep', '1000']);
    const client = spawn('/bin/sh', clientArgs(host.dir, request), { stdio: ['ignore', 'pipe', 'ignore'] });
    await until('it runs', () => pidsOf(container, request).length === 1);
    client.stdout?.destroy();
    expect(await exitOf(client)).toBe(141);
    await until('its leaf is gone', () => !leavesOf(container).includes(`exec-${request.id}`));
  });

  test('whose output goes nowhere runs to the end of its command', () => {
    const request = execRequest(container, ['sh', '-c', 'echo lost; sleep 0.3; exit 3']);
    expect(spawnSync('/bin/sh', clientArgs(host.dir, request), { stdio: 'ignore' }).status).toBe(3);
  });

  test('that is aborted leaves nothing, a hundred times', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 100; n++) {
      const stop = new AbortController();
      const running = execCapture(execRequest(container, ['sleep', '1000']), { signal: stop.signal, limit: 100 });
      // Some before the command runs, some after.
      setTimeout(() => {
        stop.abort(new Error('enough'));
      }, n % 10);
      await expect(running).rejects.toThrow('enough');
    }
    await until('all leaves are gone', () => leavesOf(container).length === 0);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
  });

  test('keeps the head of endless output, and no more in memory', async () => {
    const got = await capture(['sh', '-c', 'yes | head -c 100000000; exit 5'], 1000);
    expect(got.code).toBe(5);
    expect(got.stdout.toString()).toBe('y\n'.repeat(500));
  });

  test.each([
    [
      'is missing and is called like a folder',
      ['cwd-nothing'],
      127,
      /^exec failed: exec: "cwd-nothing": executable file not/,
    ],
    ['is neither a program nor a script', ['/tmp/bad'], 126, /^exec failed: exec: "\/tmp\/bad": exec format error\n$/],
    ['is a folder', ['/tmp'], 126, /^exec failed: exec: "\/tmp": permission denied\n$/],
  ])('says why when the command %s', async (_what, args, code, why) => {
    await capture(['sh', '-c', 'echo garbage > /tmp/bad; chmod 755 /tmp/bad']);
    const got = await capture(args);
    expect(got.code).toBe(code);
    expect(got.stderr.toString()).toMatch(why);
  });

  test('is refused by the monitor of another container', async () => {
    const request = execRequest(container, ['true']);
    const wrong = { ...request, monitor: { ...request.monitor, container: 'f'.repeat(64) } };
    const got = await execCapture(wrong, { signal: never, limit: 4096 });
    expect(got.code).toBe(125);
    expect(JSON.parse(got.stderr.toString())).toMatchObject({ event: 'failed', stage: 'control' });
  });
});

describe('a hook', () => {
  test('outlives whoever started it', async () => {
    const built = buildInto(host.dir);
    const files = hookFiles();
    const request = execRequest(container, [
      'sh',
      '-c',
      'while [ ! -e /tmp/go ]; do sleep 0.05; done; echo done; exit 6',
    ]);
    const script = join(host.dir, 'owner.js');
    const call = `startHook(${JSON.stringify(request)}, ${JSON.stringify({ ...files, limit: 1000 })})`;
    writeFileSync(
      script,
      `import { startHook } from '${built}/container/exec.js'; await ${call}; setInterval(() => {}, 1000);`,
    );
    const owner = spawn(process.execPath, [script], {
      stdio: 'inherit',
      env: { ...process.env, MINIRT_HELPER: helperPath() },
    });
    await until('the hook runs', () => pidsOf(container, request).length > 0);
    owner.kill('SIGKILL');
    await exitOf(owner);
    expect(await readHookResult(files)).toBeUndefined();
    const waiting = waitHookResult(files, never);
    await capture(['touch', '/tmp/go']);
    expect(await waiting).toMatchObject({ kind: 'exited', code: 6, truncated: false });
    expect(readFileSync(files.output, 'utf8')).toMatch(/^\S+ stdout F done\n$/);
  });

  test('whose helper is killed has failed', async () => {
    const { request, result } = await startSleeper();
    process.kill(helperOf(request.id), 'SIGKILL');
    expect(await result).toEqual({ kind: 'failed', what: "the hook's helper ended with SIGKILL" });
    await container.client.execKill(request.id).catch(() => undefined);
    await until('its leaf is gone', () => pidsOf(container, request).length === 0);
  });

  test('whose helper is told to go takes the command along and has failed', async () => {
    const { request, result } = await startSleeper();
    process.kill(helperOf(request.id), 'SIGTERM');
    expect(await result).toEqual({ kind: 'failed', errno: EINTR, what: 'interrupted by signal 15' });
    await until('it is gone', () => pidsOf(container, request).length === 0);
  });

  test('that cannot enter the container says so in its result', async () => {
    const files = hookFiles();
    const request = execRequest(container, ['true']);
    await startHook(
      { ...request, monitor: { ...request.monitor, socket: '/tmp/no-such-socket' } },
      { ...files, limit: 100 },
    );
    expect(await waitHookResult(files, never)).toEqual({
      kind: 'failed',
      errno: 2,
      what: 'connect /tmp/no-such-socket: No such file or directory',
    });
  });
});

test('without cgroup2 a command still ends with its client', async () => {
  const id = randomBytes(32).toString('hex');
  const spec = host.spec({ args: forEver }, id);
  const place = host.place(id);
  const client = await createContainer(spec, place, { cgroup2: undefined, cgroup1: [], devices: 'all' }, never);
  const bare = follow(client, { spec, place, cgroup2: '/nowhere' });
  try {
    await client.start();
    const mark = String(100_000 + Math.floor(Math.random() * 100_000));
    const runs = (): boolean => commands().some(({ words }) => words === `sleep ${mark}`);
    const killed = spawn('/bin/sh', clientArgs(host.dir, execRequest(bare, ['sleep', mark])), { stdio: 'ignore' });
    await until('it runs', runs);
    killed.kill('SIGKILL');
    await until('it is gone', () => !runs());
  } finally {
    await client.kill().catch(() => undefined);
    await client.closed;
  }
});

const v1 = ['/sys/fs/cgroup/freezer', '/sys/fs/cgroup/devices'];
const hasV1 = isHost(
  v1.every((dir) => existsSync(dir)),
  'hosts with cgroup v1',
  'commands in v1 hierarchies',
);

test.each(hasV1 ? ['v1'] : [])('a command is where its container is in every %s hierarchy', async () => {
  const dirs = v1.map((dir) => join(dir, `mrt-test-${randomBytes(4).toString('hex')}`));
  for (const dir of dirs) mkdirSync(dir);
  const id = randomBytes(32).toString('hex');
  const spec = host.spec({ args: forEver }, id);
  const place = host.place(id);
  const cgroup = { cgroup2: undefined, cgroup1: dirs, devices: 'all' } as const;
  const client = await createContainer(spec, place, cgroup, never);
  try {
    await client.start();
    const bare = follow(client, { spec, place, cgroup2: '/nowhere' });
    const got = await execCapture(execRequest(bare, ['cat', '/proc/self/cgroup']), { signal: never, limit: 4096 });
    for (const dir of dirs)
      expect(got.stdout.toString()).toContain(`:${dir.slice('/sys/fs/cgroup'.length).replace(/^\/\w+/, '')}\n`);
  } finally {
    await client.kill().catch(() => undefined);
    await client.closed;
    for (const dir of dirs) {
      await until('it is empty', () => readFileSync(join(dir, 'cgroup.procs'), 'utf8') === '');
      rmdirSync(dir);
    }
  }
});

function capture(args: readonly string[], limit = 1 << 16): ReturnType<typeof execCapture> {
  return execCapture(execRequest(container, args), { signal: never, limit });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

function hookFiles(): HookFiles {
  const dir = join(host.dir, 'hooks', randomBytes(4).toString('hex'));
  mkdirSync(dir, { recursive: true });
  return { output: join(dir, 'log'), result: join(dir, 'result') };
}

/** A hook that goes on until something ends it. */
async function startSleeper(): Promise<{
  request: ReturnType<typeof execRequest>;
  result: ReturnType<typeof waitHookResult>;
}> {
  const files = hookFiles();
  const request = execRequest(container, ['sleep', '1000']);
  await startHook(request, { ...files, limit: 100 });
  await until('it runs', () => pidsOf(container, request).length === 1);
  return { request, result: waitHookResult(files, never) };
}

/** The helper that carries an exec: the parent of its command. */
function helperOf(id: string): number {
  const [pid] = pidsOf(container, { id });
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  expect(readFileSync(`/proc/${parent}/cmdline`, 'utf8')).toContain('\0exec\0');
  return Number(parent);
}

/** All command lines of the host. */
function commands(): readonly { readonly pid: string; readonly words: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return { pid, words: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim() };
      } catch {
        return { pid, words: '' };
      }
    });
}
