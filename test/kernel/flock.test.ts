import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { FileLock, withLock } from '../../src/helper/flock.ts';
import { until } from '../support/containers.ts';

const never = new AbortController().signal;
const dir = mkdtempSync(join(tmpdir(), 'mrt-'));
const lock = (name: string): string => join(dir, name);
afterAll(() => {
  rmSync(dir, { recursive: true });
});

test('one has it, another does not, until it is released', async () => {
  const first = await FileLock.tryAcquire(lock('a'));
  expect(first).toBeDefined();
  expect(await FileLock.tryAcquire(lock('a'))).toBeUndefined();
  await first?.release();
  const second = await FileLock.tryAcquire(lock('a'));
  expect(second).toBeDefined();
  await second?.release();
});

test('its file is for root only, and keeps what is in it', async () => {
  const held = await FileLock.tryAcquire(lock('b'));
  expect(statSync(lock('b')).mode & 0o777).toBe(0o600);
  await held?.release();
  writeFileSync(lock('b'), 'kept');
  await (await FileLock.tryAcquire(lock('b')))?.release();
  expect(readFileSync(lock('b'), 'utf8')).toBe('kept');
});

test('other programs respect it, and it respects theirs', async () => {
  const flock = (): number | null => spawnSync('flock', ['-n', lock('c'), 'true']).status;
  {
    await using held = await FileLock.tryAcquire(lock('c'));
    expect(held).toBeDefined();
    expect(flock()).toBe(1);
  }
  expect(flock()).toBe(0);
  const other = spawn('flock', [lock('c'), 'sleep', '1000'], { detached: true, stdio: 'ignore' });
  await until('the other one has it', async () => {
    const got = await FileLock.tryAcquire(lock('c'));
    await got?.release();
    return got === undefined;
  });
  // The whole group: `sleep` has inherited the lock.
  process.kill(-Number(other.pid), 'SIGKILL');
  await until('the kernel has freed it', async () => {
    const got = await FileLock.tryAcquire(lock('c'));
    await got?.release();
    return got !== undefined;
  });
});

test('children of the holder do not keep it', async () => {
  const held = await FileLock.tryAcquire(lock('d'));
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  try {
    await held?.release();
    const again = await FileLock.tryAcquire(lock('d'));
    expect(again).toBeDefined();
    await again?.release();
  } finally {
    child.kill('SIGKILL');
  }
});

test('of twenty who ask at once one gets it', async () => {
  const got = await Promise.all(Array.from({ length: 20 }, () => FileLock.tryAcquire(lock('e'))));
  const held = got.filter((one) => one !== undefined);
  expect(held).toHaveLength(1);
  await held[0]?.release();
});

test('a folder that is not there is an error, not a taken lock', async () => {
  await expect(FileLock.tryAcquire(lock('none/lock'))).rejects.toMatchObject({ code: 'io' });
});

test('work under a lock never overlaps, and frees it when it fails', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await delay(5);
    inside--;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(lock('f'), never, work)));
  expect(most).toBe(1);
  await expect(withLock(lock('f'), never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await withLock(lock('f'), never, () => Promise.resolve(7))).toBe(7);
});

test('waiting for a lock ends with the signal', async () => {
  await using held = await FileLock.tryAcquire(lock('g'));
  expect(held).toBeDefined();
  const stop = new AbortController();
  const waiting = withLock(lock('g'), stop.signal, () => Promise.resolve('never'));
  setTimeout(() => {
    stop.abort(new Error('enough'));
  }, 30);
  await expect(waiting).rejects.toThrow('enough');
});
