import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ExecRequest, execCapture, readHookResult, startHook, waitHookResult } from '../../src/container/exec.ts';
import type { ProcessSpec } from '../../src/container/spec.ts';
import { TestHost, until } from '../support/containers.ts';
import { clientArgs, commandOf, execRequest, leavesOf, pidsOf } from '../support/exec.ts';

const never = new AbortController().signal;
const host = new TestHost();
afterAll(() => host.close());
await host.open();
const container = await host.run({ args: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'] });

describe('exit status', () => {
  test.each([
    ['that of the command', ['sh', '-c', 'exit 42'], 42, ''],
    ['128+n for a signal', ['sh', '-c', 'kill -9 $$'], 137, ''],
    [
      '127 for a command that is not in PATH',
      ['nope'],
      127,
      'exec failed: exec: "nope": executable file not found in $PATH\n',
    ],
    [
      '127 for a path that is not there',
      ['/no/such'],
      127,
      'exec failed: exec: "/no/such": stat /no/such: no such file or directory\n',
    ],
    [
      '126 for a file that cannot be executed',
      ['/etc/plain'],
      126,
      'exec failed: exec: "/etc/plain": permission denied\n',
    ],
  ])('is %s', async (_name, args, code, stderr) => {
    const got = await run(args);
    expect({ code: got.code, stderr: got.stderr.toString() }).toEqual({ code, stderr });
  });

  test('is 125 when there is no such container', async () => {
    const gone = { ...request(['true']), monitor: { socket: '/tmp/no-such-socket', pod: 'p', container: 'c' } };
    const got = await execCapture(gone, { signal: never, limit: 1 << 16 });
    expect(got.code).toBe(125);
    expect(got.stderr.toString()).toContain('"stage":"control"');
  });
});

describe('output', () => {
  test('is complete to the last byte, and streams stay apart', async () => {
    const got = await run(['sh', '-c', 'dd if=/dev/zero bs=1024 count=1024 2>/dev/null; echo -n end; echo err >&2']);
    expect(got.stdout.length).toBe(1024 * 1024 + 3);
    expect(got.stdout.subarray(-3).toString()).toBe('end');
    expect(got.stderr.toString()).toBe('err\n');
  });

  test('does not wait for a background child that holds the pipe', async () => {
    const got = await run(['sh', '-c', 'sleep 1000 & echo done']);
    expect(got).toMatchObject({ code: 0 });
    expect(got.stdout.toString()).toBe('done\n');
  });

  test('stdin reaches the command byte by byte, and its end too', async () => {
    const data = randomBytes(300_000);
    const child = spawn('/bin/sh', clientArgs(host.dir, request(['cat'], { stdin: true })), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(data);
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(data)).toBe(true);
  });
});

describe('the process', () => {
  test('is in the container, with its limits and nothing of ours', async () => {
    const script =
      'hostname; ls /proc/self/fd | wc -l; grep -E "^Cap(Inh|Amb|Eff)" /proc/self/status; cat /proc/self/cgroup';
    const { stdout } = await run(['sh', '-c', script]);
    const [name, fds, inherited, effective, ambient] = stdout.toString().split('\n');
    expect(name).toBe('pod-0');
    // 0, 1, 2, and the folder that ls itself reads.
    expect(Number(fds)).toBe(4);
    expect(inherited).toMatch(/^CapInh:\s0+$/);
    expect(effective).toMatch(/^CapEff:\s00000000a80425fb$/);
    expect(ambient).toMatch(/^CapAmb:\s0+$/);
  });

  test('cannot be put into a folder of the host', async () => {
    for (let fd = 0; fd < 50; fd++) {
      const got = await run(['true'], { cwd: `/proc/self/fd/${fd}` });
      expect(got.code).toBeGreaterThan(124);
    }
  });
});

describe('a hook', () => {
  test('leaves its outcome and its marked output in files', async () => {
    const files = hookFiles();
    await startHook(request(['sh', '-c', 'echo out; echo err >&2; exit 3']), { ...files, limit: 1 << 16 });
    const result = await waitHookResult(files, never);
    expect(result).toMatchObject({ kind: 'exited', code: 3, truncated: false });
    expect(readFileSync(files.output, 'utf8')).toMatch(
      /^\S+ stdout F out\n\S+ stderr F err\n$|^\S+ stderr F err\n\S+ stdout F out\n$/,
    );
  });

  test('keeps the head of what is too much', async () => {
    const files = hookFiles();
    await startHook(request(['sh', '-c', 'yes | head -c 1000000']), { ...files, limit: 100 });
    const result = await waitHookResult(files, never);
    expect(result).toMatchObject({ kind: 'exited', code: 0, truncated: true });
    expect(readFileSync(files.output, 'utf8').length).toBeLessThan(5000);
  });

  test('that cannot be run says why', async () => {
    const files = hookFiles();
    await startHook(request(['/no/such']), { ...files, limit: 100 });
    expect(await waitHookResult(files, never)).toEqual({
      kind: 'failed',
      errno: 2,
      what: 'exec: "/no/such": stat /no/such: no such file or directory',
    });
  });

  test('can be ended by its leaf', async () => {
    const files = hookFiles();
    const hook = request(['sh', '-c', 'sleep 8888 & sleep 8888']);
    await startHook(hook, { ...files, limit: 100 });
    await until('it runs', () => sleepers('8888') === 2);
    await container.client.execKill(hook.id);
    expect(await waitHookResult(files, never)).toMatchObject({ kind: 'exited', code: 137 });
    await until('it is gone', () => sleepers('8888') === 0);
  });

  test('has no result before its end', async () => {
    const files = hookFiles();
    expect(await readHookResult(files)).toBeUndefined();
    const stop = new AbortController();
    const waiting = waitHookResult(files, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

function request(args: readonly string[], process: Partial<ProcessSpec> = {}): ExecRequest {
  return execRequest(container, args, process);
}

function run(args: readonly string[], process: Partial<ProcessSpec> = {}): ReturnType<typeof execCapture> {
  return execCapture(request(args, process), { signal: never, limit: 8 << 20 });
}

function hookFiles(): { output: string; result: string } {
  const dir = join(host.dir, 'hooks', randomBytes(4).toString('hex'));
  mkdirSync(dir, { recursive: true });
  return { output: join(dir, 'log'), result: join(dir, 'result') };
}

/** How many processes `sleep MARK` the commands of the container have, seen from the host. */
function sleepers(mark: string): number {
  const pids = leavesOf(container).flatMap((leaf) => pidsOf(container, { id: leaf.slice('exec-'.length) }));
  return pids.filter((pid) => commandOf(pid) === `S sleep ${mark}`).length;
}
