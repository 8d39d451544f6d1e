import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  writeFileSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCgroups } from '../../src/container/cgroup.ts';
import { diagnose } from '../../src/doctor/index.ts';
import { findLeaks, fixLeaks } from '../../src/doctor/leaks.ts';
import type { Leak } from '../../src/doctor/leaks.ts';
import { diff, snapshot } from '../../src/doctor/snapshot.ts';
import { bridgeName } from '../../src/network/bridge.ts';
import { attachPod, detachPod } from '../../src/network/index.ts';
import { networkPaths } from '../../src/network/paths.ts';
import { podPaths } from '../../src/state/paths.ts';
import { expectNoLeaks, leftSince } from '../support/leaks.ts';

expectNoLeaks(() => roots);

const base = mkdtempSync(join(tmpdir(), 'mrt-doc-'));
const roots = { root: join(base, 'root'), state: join(base, 'state'), logs: join(base, 'logs') };
const forever = new AbortController().signal;
const lost = '11111111-2222-3333-4444-555555555555';
const known = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
const started: ChildProcess[] = [];

beforeEach(() => {
  mkdirSync(join(roots.state, 's'), { recursive: true });
  mkdirSync(podPaths(roots, known).dir, { recursive: true });
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

const kinds = (leaks: readonly Leak[]): string[] => leaks.map(({ kind, what }) => `${kind} ${what}`).sort();

/** A way to leave something behind; returns what the finder must say about it. */
type Mess = (uid: string) => Promise<string[]>;

const messes: Readonly<Record<string, Mess>> = {
  'a volume’s mount': async (uid) => {
    const dir = join(roots.state, 'm', uid, 'volume');
    mkdirSync(dir, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'none', dir]);
    return [`mount ${dir}`, `file ${dirname(dir)}`];
  },
  'a namespace': async (uid) => {
    const file = join(roots.state, 'm', uid, 'uts');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    execFileSync('unshare', [`--uts=${file}`, 'true']);
    return [`netns ${file}`, `file ${dirname(file)}`];
  },
  'a cgroup with a process': async (uid) => {
    const cgroups = await openCgroups({ state: roots.state, owner: 'foreground' });
    const made = await cgroups.createContainer(uid, '0123456789ab');
    const enter = [made.cgroup2 ?? [], made.cgroup1].flat().map((dir) => `echo 0 > ${dir}/cgroup.procs`);
    const child = spawn('sh', ['-c', `${enter.join(' && ')} && echo ready && exec sleep 600`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    await once(child.stdout, 'data');
    return [`cgroup ${dirname(made.path)}`];
  },
  'an address and a bridge': async (uid) => {
    const name = `mrt-doc-${process.pid}`;
    execFileSync('ip', ['netns', 'add', name]);
    const pod = { state: roots.state, uid, name: 'p', namespace: 'default', netns: `/run/netns/${name}` };
    const got = await attachPod(pod, forever).finally(() => {
      execFileSync('ip', ['netns', 'delete', name]);
    });
    const { ipam, cache } = networkPaths(roots.state);
    const bridge = bridgeName(roots.state);
    return [`address ${join(ipam, 'default', got.ip)}`, `file ${join(cache, `${uid}.json`)}`, `link ${bridge}`];
  },
  'a monitor': async (uid) => {
    const helper = join(base, 'minirt-helper');
    copyFileSync('/usr/bin/sleep', helper);
    execFileSync('chmod', ['+x', helper]);
    const record = join(roots.state, 'pods', uid, 'record');
    mkdirSync(dirname(record), { recursive: true });
    const fd = openSync(record, 'w');
    const child = spawn(helper, ['600'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    closeSync(fd);
    started.push(child);
    await once(child, 'spawn');
    return [`process ${child.pid}`];
  },
  'a name and a writable layer': async (uid) => {
    const name = join(roots.state, 'index', 'default', 'web');
    const upper = join(roots.root, 'pods', uid, '0123456789ab', 'upper');
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, uid);
    mkdirSync(upper, { recursive: true });
    symlinkSync(roots.state, join(roots.root, 'pods', uid, 'state'));
    return [`file ${name}`, `file ${join(roots.root, 'pods', uid)}`];
  },
};

describe.each(Object.entries(messes))('%s', (_, mess) => {
  test('of a pod that is not there is found, told, and removed', async () => {
    const expected = await mess(lost);
    rmSync(podPaths(roots, lost).dir, { recursive: true, force: true });
    // A veth goes a moment after its namespace.
    await expect.poll(async () => kinds(await findLeaks(roots))).toEqual(expected.sort());
    for (const { error } of await fixLeaks(await findLeaks(roots))) expect(error).toBeUndefined();
    await expect.poll(async () => kinds(await findLeaks(roots))).toEqual([]);
  });

  test('of a pod that is there is no leak', async () => {
    await mess(known);
    expect(await findLeaks(roots)).toEqual([]);
    // Without its folder it is one, which cleans up after this test.
    rmSync(podPaths(roots, known).dir, { recursive: true });
    const removed = await fixLeaks(await findLeaks(roots));
    expect(removed.length).toBeGreaterThan(0);
    await detachPod({ state: roots.state, uid: known, name: 'p', namespace: 'default' }, forever);
  });
});

test('a socket of no pod is found, and one of a pod is not', async () => {
  const own = createServer();
  const stray = createServer();
  own.listen(podPaths(roots, known).socket);
  stray.listen(join(roots.state, 's', 'ffffffffffff'));
  await Promise.all([once(own, 'listening'), once(stray, 'listening')]);
  const leaks = await findLeaks(roots);
  expect(kinds(leaks)).toEqual([`socket ${join(roots.state, 's', 'ffffffffffff')}`]);
  await fixLeaks(leaks);
  own.close();
  stray.close();
  await Promise.all([once(own, 'close'), once(stray, 'close')]);
});

test('kept manifests are no leak', async () => {
  mkdirSync(join(roots.root, 'pods', lost), { recursive: true });
  writeFileSync(join(roots.root, 'pods', lost, 'pod.json'), '{}');
  expect(await findLeaks(roots)).toEqual([]);
});

test("another state's data in the same root is no leak", async () => {
  const bulk = join(roots.root, 'pods', lost);
  mkdirSync(join(bulk, 'upper'), { recursive: true });
  symlinkSync(`${roots.state}-of-another`, join(bulk, 'state'));
  expect(await findLeaks(roots)).toEqual([]);
});

test('what lies behind a mount that will not go is left alone', async () => {
  const dir = join(roots.state, 'm', lost, 'volume');
  mkdirSync(dir, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'none', dir]);
  writeFileSync(join(dir, 'precious'), '');
  const onlyFiles = (await findLeaks(roots)).filter(({ kind }) => kind === 'file');
  const [fix] = await fixLeaks(onlyFiles);
  expect(fix?.error).toMatchObject({ code: 'io', message: expect.stringContaining('is mounted there') as string });
  expect(existsSync(join(dir, 'precious'))).toBe(true);
  execFileSync('umount', [dir]);
});

test('a pid that has become somebody else’s is not killed', async () => {
  const child = spawn('sleep', ['600']);
  started.push(child);
  await once(child, 'spawn');
  await fixLeaks([{ kind: 'process', what: String(child.pid), start: '1', pod: lost, detail: '' }]);
  expect(() => process.kill(child.pid ?? 0, 0)).not.toThrow();
  expect(child.signalCode).toBeNull();
});

test('a snapshot notices what came, and nothing else', async () => {
  const before = await snapshot(roots);
  expect(diff(before, await snapshot(roots))).toEqual([]);
  for (const name of ['a volume’s mount', 'a cgroup with a process']) await messes[name]?.(lost);
  const fd = openSync(join(base, 'open'), 'w');
  const lines = diff(before, await snapshot(roots));
  expect(
    lines
      .filter((line) => !line.startsWith('fd') || line.includes(base))
      .map((line) => line.split(' ')[0])
      .sort(),
  ).toEqual(['cgroup', 'fd', 'file', 'mount']);
  closeSync(fd);
  await fixLeaks(await findLeaks(roots));
  started.splice(0).forEach((child) => child.kill('SIGKILL'));
  expect(await leftSince(before, roots)).toEqual([]);
});

test('this host has all that is needed', async () => {
  const { checks, leaks } = await diagnose(roots);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ name }) => name)).toContain('helper');
  expect(leaks).toEqual([]);
});

test('a helper that is missing is told with its hint', async () => {
  const before = process.env['MINIRT_HELPER'];
  process.env['MINIRT_HELPER'] = '/nowhere/minirt-helper';
  try {
    const { checks } = await diagnose(roots);
    expect(checks.filter(({ ok }) => !ok)).toEqual([
      {
        name: 'helper',
        ok: false,
        detail: expect.stringContaining('/nowhere') as string,
        hint: expect.any(String) as string,
      },
    ]);
  } finally {
    if (before === undefined) delete process.env['MINIRT_HELPER'];
    else process.env['MINIRT_HELPER'] = before;
  }
});
