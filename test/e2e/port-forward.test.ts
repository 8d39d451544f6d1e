import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { podPaths } from '../../src/state/paths.ts';
import { type Call, eventually, useCli } from '../support/cli.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const cli = useCli('busybox', 'nginx');
expectNoLeaks(() => cli().roots);

const MIB = 1024 * 1024;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const nginx = {
    name: 'nginx',
    image: 'nginx',
    imagePullPolicy: 'Never',
    ports: [{ name: 'http', containerPort: 80 }],
  };
  const idle = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sleep', '1000'] };
  const spec = { terminationGracePeriodSeconds: 0 };
  for (const [name, container] of [
    ['web', nginx],
    ['idle', idle],
  ] as const) {
    const path = cli().manifest(name, { ...spec, containers: [container] });
    expect(await cli().run('run', '-d', path)).toMatchObject({ code: 0 });
  }
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(() => cli().run('delete', 'pods', '--all', '--now'));

/** Begins to forward, and answers where it listens. */
async function forwarded(pod: string, port: number | string): Promise<{ readonly call: Call; readonly at: number }> {
  const call = cli().start(['port-forward', pod, `:${port}`]);
  ends.push(() => {
    call.kill('SIGINT');
    return call.done;
  });
  await call.says(/Forwarding from 127\.0\.0\.1:\d+ -> \d+/);
  return { call, at: Number(/127\.0\.0\.1:(\d+)/.exec(call.stdout)?.[1]) };
}

/** A server in a pod's network namespace, of a line of JavaScript with `s` for each connection. */
async function server(pod: string, port: number, host: string, line: string): Promise<void> {
  const { uid = '' } = (await cli().pod(pod)).metadata;
  const script = `require('net').createServer({ allowHalfOpen: true }, (s) => { s.on('error', () => 0); ${line} })
    .listen(${port}, '${host}', () => console.log('ready'))`;
  const netns = join(podPaths(cli().roots, uid).namespaces, 'net');
  const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
}

async function everything(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const client = (at: number): Socket => connect({ port: at, host: '127.0.0.1', allowHalfOpen: true });
const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

describe('port-forward', () => {
  test('speaks as kubectl does, and leads to a real server', async () => {
    const { call, at } = await forwarded('web', 'http');
    const answer = await fetch(`http://127.0.0.1:${at}/`, { headers: { connection: 'close' } });
    expect(await answer.text()).toContain('nginx');
    await call.says(/Handling/);
    expect(call.stdout).toBe(
      `Forwarding from 127.0.0.1:${at} -> 80\nForwarding from [::1]:${at} -> 80\nHandling connection for ${at}\n`,
    );
  });

  test.each(['127.0.0.1', '::1'])('reaches a server that listens on %s in the pod only', async (host) => {
    await server('idle', 7000, host, "s.end('here')");
    const { at } = await forwarded('idle', 7000);
    expect(String(await everything(client(at)))).toBe('here');
  });

  test('carries what is said after the other side has ended, to the last byte', async () => {
    await server(
      'idle',
      7001,
      '127.0.0.1',
      'const all = []; s.on("data", (d) => all.push(d)); s.on("end", () => s.end(Buffer.concat(all)))',
    );
    const { at } = await forwarded('idle', 7001);
    const data = randomBytes(64 * MIB);
    const socket = client(at);
    socket.end(data);
    expect(sha(await everything(socket))).toBe(sha(data));
  });

  test('carries many connections at once', async () => {
    await server('idle', 7002, '127.0.0.1', 's.pipe(s)');
    const { at } = await forwarded('idle', 7002);
    const echoed = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const data = Buffer.alloc(MIB, i);
        const socket = client(at);
        socket.end(data);
        return (await everything(socket)).equals(data);
      }),
    );
    expect(echoed).toEqual(echoed.map(() => true));
  });

  test('tells of a port where nobody listens, and goes on', async () => {
    const { call, at } = await forwarded('idle', 7003);
    expect(await everything(client(at)).catch(() => Buffer.alloc(0))).toHaveLength(0);
    const why = `an error occurred forwarding ${at} -> 7003: failed to connect to localhost:7003 inside the pod: connection refused`;
    await call.says(new RegExp(why));
    await server('idle', 7003, '127.0.0.1', "s.end('now')");
    expect(String(await everything(client(at)))).toBe('now');
  });

  test('resets a connection that the server broke off', async () => {
    await server('idle', 7004, '127.0.0.1', "s.once('data', () => s.resetAndDestroy())");
    const { at } = await forwarded('idle', 7004);
    const socket = client(at);
    socket.write('x');
    await expect(everything(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('ends with Ctrl-C, and its connections with it', async () => {
    await server('idle', 7005, '127.0.0.1', "s.write('begun')");
    const { call, at } = await forwarded('idle', 7005);
    const socket = client(at);
    await once(socket, 'data');
    call.kill('SIGINT');
    await call.done;
    await everything(socket).catch(() => undefined);
    await expect(everything(client(at))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('ends with the pod', async () => {
    const container = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sleep', '1000'] };
    const path = cli().manifest('brief', { terminationGracePeriodSeconds: 0, containers: [container] });
    expect(await cli().run('run', '-d', path)).toMatchObject({ code: 0 });
    const { call } = await forwarded('brief', 80);
    expect(await cli().run('delete', 'pod', 'brief', '--now')).toMatchObject({ code: 0 });
    expect(await call.done).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('lost connection to pod') as string,
    });
  });

  test('refuses what it cannot do', async () => {
    const { at } = await forwarded('web', 80);
    expect(await cli().run('port-forward', 'web', `${at}:80`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`unable to listen on port ${at}`) as string,
    });
    expect(await cli().run('port-forward', 'nobody', '80')).toMatchObject({ code: 1 });
    expect(await cli().run('port-forward', 'web')).toMatchObject({ code: 2 });
    const done = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/true'] };
    await cli().run('run', '-q', cli().manifest('done', { restartPolicy: 'Never', containers: [done] }));
    await eventually(async () => {
      expect(await cli().run('port-forward', 'done', '80')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          'unable to forward port because pod is not running. Current status=Succeeded',
        ) as string,
      });
    });
    await cli().run('delete', 'pod', 'done');
  });
});
