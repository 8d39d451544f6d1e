import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeFrame } from '../../src/helper/plan.ts';
import { TestHost, until, type TestContainer } from '../support/containers.ts';

const host = new TestHost();
beforeAll(() => host.open());
afterAll(() => host.close());

/** A connection that speaks frames, as `minirt-helper exec` does; descriptors in the mail are dropped by Node. */
async function speak(
  container: TestContainer,
): Promise<{ socket: Socket; ask: (...words: string[]) => Promise<Reply> }> {
  const socket = connect(container.place.socket);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  await lines.next();
  const ask = async (...words: string[]): Promise<Reply> => {
    socket.write(encodeFrame(words));
    return JSON.parse((await lines.next()).value as string) as Reply;
  };
  return { socket, ask };
}

interface Reply {
  readonly ok: boolean;
  readonly errno?: number;
  readonly leaf?: string;
}

/** A process of the host that is put into the leaf. */
async function occupy(leaf: string): Promise<{ ended: Promise<unknown>; kill: () => void }> {
  const child = spawn('sleep', ['100']);
  await once(child, 'spawn');
  writeFileSync(join(leaf, 'cgroup.procs'), String(child.pid));
  return { ended: once(child, 'exit'), kill: () => child.kill('SIGKILL') };
}

test("a client's leaf is killed and removed when its connection closes early", async () => {
  const container = await host.run({ args: ['sleep', '100'] });
  const { socket, ask } = await speak(container);
  const { leaf = '' } = await ask('exec-begin', 'one', 'client');
  expect(leaf).toBe(join(container.cgroup2, 'exec-one'));
  const { ended } = await occupy(leaf);
  socket.destroy();
  expect(await ended).toEqual([null, 'SIGKILL']);
  await until('the leaf is removed', () => !existsSync(leaf));
  expect(container.records.some(({ event }) => event === 'exited')).toBe(false);
});

test("a hook's leaf survives its connection, and goes once it is empty", async () => {
  const container = await host.run({ args: ['sleep', '100'] });
  const { socket, ask } = await speak(container);
  const { leaf = '' } = await ask('exec-begin', 'two', 'hook');
  const { ended, kill } = await occupy(leaf);
  socket.destroy();
  // The monitor has seen the end of that connection when it answers on the next one.
  const other = await speak(container);
  expect(await other.ask('exec-begin', 'two', 'hook')).toMatchObject({ ok: false, errno: 17 });
  expect(existsSync(leaf)).toBe(true);
  kill();
  await ended;
  await until('the leaf is removed', () => !existsSync(leaf));
  other.socket.destroy();
});

test('exec-kill ends everything in a leaf, exec-end removes it', async () => {
  const container = await host.run({ args: ['sleep', '100'] });
  const { socket, ask } = await speak(container);
  const { leaf = '' } = await ask('exec-begin', 'three', 'client');
  const { ended } = await occupy(leaf);
  await container.client.execKill('three');
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(await ask('exec-end', 'three')).toMatchObject({ ok: true });
  await until('the leaf is removed', () => !existsSync(leaf));
  socket.destroy();
});

test.each([
  ['a name with a slash', ['exec-begin', '../x', 'hook'], 22],
  ['an unknown kind', ['exec-begin', 'x', 'moon'], 22],
  ['an unknown leaf', ['exec-kill', 'nobody'], 2],
  ['an unknown request', ['dance'], 22],
])('%s is refused', async (_name, words, errno) => {
  const container = await host.run({ args: ['sleep', '100'] });
  const { socket, ask } = await speak(container);
  expect(await ask(...words)).toMatchObject({ ok: false, errno });
  socket.destroy();
});

test('a frame that is too long ends the connection, not the monitor', async () => {
  const container = await host.run({ args: ['sleep', '100'] });
  const { socket } = await speak(container);
  const closed = once(socket, 'close');
  socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0]));
  await closed;
  await container.client.signal(0);
});
