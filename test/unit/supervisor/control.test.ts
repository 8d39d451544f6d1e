import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { MinirtError } from '../../../src/base/errors.ts';
import { Connection } from '../../../src/supervisor/connection.ts';
import { type Listening, type Method, listen } from '../../../src/supervisor/listen.ts';
import { eventually } from '../../support/cli.ts';

const UID = '6f1c2d34-0000-4000-8000-000000000001';
const HELLO = `${JSON.stringify({ hello: 'minirt', version: 1, uid: UID })}\n`;

const folder = mkdtempSync(join(tmpdir(), 'mrt-'));
const path = join(folder, 's');
const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const methods: Readonly<Record<string, Method>> = {
  async *count(params) {
    for (let number = 1; number <= Number(params['to']); number++) yield number;
  },
  async *refuse() {
    yield 1;
    throw new MinirtError('pod.exists', 'no', { hint: 'never' });
  },
  async *forever(_params, signal) {
    yield 'begun';
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    ended.push('forever');
  },
  async *flood() {
    for (let megabyte = 0; megabyte < 64; megabyte++) {
      yield 'x'.repeat(1 << 20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    ended.push('flood');
  },
};
const ended: string[] = [];

async function server(): Promise<Listening> {
  const listening = await listen(path, UID, methods);
  open.push({ close: () => listening[Symbol.asyncDispose]() });
  return listening;
}

async function client(): Promise<Connection> {
  const connection = await Connection.open(path, UID, AbortSignal.timeout(5000));
  open.push(connection);
  return connection;
}

/** A client that says what the test wants, byte for byte. */
async function raw(): Promise<{ socket: Socket; said: () => string; closed: Promise<void> }> {
  const socket = connect(path);
  let text = '';
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  open.push({ close: () => socket.destroy() });
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { socket, said: () => text, closed };
}

/** A server that says what the test wants. */
async function fake(answer: (socket: Socket) => void): Promise<void> {
  const other: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => other.listen(path, resolve));
  open.push({ close: () => other.close() });
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('a call', () => {
  test('brings its items, in order, and several calls share a connection', async () => {
    await server();
    const connection = await client();
    const [some, none] = await Promise.all([
      all(connection.stream('count', { to: 3 })),
      all(connection.stream('count', { to: 0 })),
    ]);
    expect({ some, none }).toEqual({ some: [1, 2, 3], none: [] });
  });

  test('that fails brings what came before, then the error as it was', async () => {
    await server();
    const stream = (await client()).stream('refuse', {});
    expect(await stream.next()).toEqual({ value: 1, done: false });
    await expect(stream.next()).rejects.toMatchObject({ code: 'pod.exists', message: 'no', hint: 'never' });
  });

  test('of what does not exist is an error, also when the name is an object’s own', async () => {
    await server();
    const connection = await client();
    for (const name of ['nothing', 'toString', '__proto__']) {
      await expect(connection.call(name, {})).rejects.toMatchObject({ code: 'usage' });
    }
  });

  test('fails when the server goes in the middle of the answer', async () => {
    await fake((socket) => {
      socket.write(HELLO);
      socket.once('data', () => socket.end('{"id":1,"item":"half"}\n{"id":1,"it'));
    });
    const stream = (await client()).stream('watch', {});
    expect(await stream.next()).toEqual({ value: 'half', done: false });
    await expect(stream.next()).rejects.toMatchObject({ code: 'supervisor.unreachable' });
  });

  test('after the connection ended fails at once', async () => {
    await fake((socket) => socket.end(HELLO));
    const connection = await client();
    await expect(connection.call('any', {})).rejects.toMatchObject({ code: 'supervisor.unreachable' });
    await expect(connection.call('any', {})).rejects.toMatchObject({ code: 'supervisor.unreachable' });
  });
});

describe('connecting', () => {
  test.each<[what: string, said: string, why: RegExp]>([
    ['somebody who says nothing', '', /closed the connection/],
    ['somebody who speaks something else', 'SSH-2.0-x\n', /read message: .*JSON/],
    ['another version', HELLO.replace('"version":1', '"version":2'), /it speaks protocol 2/],
    ['another pod’s owner', HELLO.replace(UID, 'other'), /answers for other/],
    ['one who says null', 'null\n', /it is no minirt/],
  ])('to %s fails, and says why', async (_what, said, why) => {
    await fake((socket) => socket.end(said));
    const failed = Connection.open(path, UID, AbortSignal.timeout(5000));
    await expect(failed).rejects.toMatchObject({ code: 'supervisor.unreachable' });
    await expect(failed).rejects.toThrow(why);
  });

  test('to nobody fails', async () => {
    const failed = Connection.open(path, UID, AbortSignal.timeout(5000));
    await expect(failed).rejects.toThrow(/ENOENT/);
  });

  test('to one who never speaks ends with the signal', async () => {
    await fake(() => undefined);
    await expect(Connection.open(path, UID, AbortSignal.timeout(100))).rejects.toMatchObject({
      code: 'supervisor.unreachable',
    });
  });
});

describe('a server', () => {
  test.each(['nonsense', 'null', '7', '[]', '{}', '{"id":"1","method":"count"}', '{"id":1,"method":7}'])(
    'drops who says %s, and goes on',
    async (line) => {
      await server();
      const { socket, closed, said } = await raw();
      socket.write(`${line}\n`);
      await closed;
      expect(said()).toBe(HELLO);
      expect(await all((await client()).stream('count', { to: 1 }))).toEqual([1]);
    },
  );

  test('drops who never ends a line', async () => {
    const listening = await server();
    const { socket, closed } = await raw();
    socket.write('x'.repeat((8 << 20) + 1));
    await closed;
    expect(listening.clients()).toBe(0);
  });

  test('takes a request in pieces, and without parameters', async () => {
    await server();
    const { socket, said } = await raw();
    socket.write('{"id":1,"meth');
    await eventually(() => {
      expect(said()).toBe(HELLO);
    });
    socket.write('od":"count"}\n');
    await eventually(() => {
      expect(said()).toBe(`${HELLO}{"id":1,"end":true}\n`);
    });
  });

  test('ends what it does for a client that is gone', async () => {
    ended.length = 0;
    const listening = await server();
    const connection = await client();
    const stream = connection.stream('forever', {});
    await stream.next();
    connection.close();
    await eventually(() => {
      expect({ ended, clients: listening.clients() }).toEqual({ ended: ['forever'], clients: 0 });
    });
  });

  test('drops a client that asks and does not read, and keeps no more than so much for it', async () => {
    ended.length = 0;
    const listening = await server();
    const { socket } = await raw();
    socket.pause();
    socket.write('{"id":1,"method":"flood"}\n');
    await eventually(() => {
      expect({ ended, clients: listening.clients() }).toEqual({ ended: ['flood'], clients: 0 });
    });
  });

  test('closes in time although a client does not read what it asked for', async () => {
    const listening = await listen(path, UID, {
      async *much() {
        yield 'x'.repeat(8 << 20);
      },
    });
    const { socket } = await raw();
    socket.pause();
    socket.write('{"id":1,"method":"much"}\n');
    await eventually(() => {
      expect(listening.clients()).toBe(1);
    });
    const before = performance.now();
    await listening[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(2000);
  });

  test('closes in time although a method does not end', async () => {
    const listening = await listen(path, UID, {
      async *stuck() {
        yield 'begun';
        await new Promise(() => undefined);
      },
    });
    const stream = (await client()).stream('stuck', {});
    await stream.next();
    await listening[Symbol.asyncDispose]();
    await expect(stream.next()).rejects.toMatchObject({ code: 'supervisor.unreachable' });
  });

  test('that was deafened leaves its path to the next one, and still says its last words', async () => {
    const first = await server();
    const stream = (await client()).stream('forever', {});
    await stream.next();
    first.deafen();
    expect(existsSync(path)).toBe(false);
    const second = await listen(path, UID, methods);
    await first[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(true);
    expect(await all((await client()).stream('count', { to: 1 }))).toEqual([1]);
    await second[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
  });
});
