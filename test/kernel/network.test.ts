import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { attachPod, attachedPods, detachPod, hostDevices } from '../../src/network/index.ts';
import { bridgeName } from '../../src/network/bridge.ts';
import { networkPaths } from '../../src/network/paths.ts';
import { expectNoLeaks } from '../support/leaks.ts';

expectNoLeaks(() => roots);

const forever = new AbortController().signal;
const base = mkdtempSync(join(tmpdir(), 'mrt-net-'));
const state = join(base, 'state');
const roots = { root: join(base, 'root'), state, logs: join(base, 'logs') };
const namespaces: string[] = [];

beforeEach(() => {
  mkdirSync(state, { recursive: true });
});
afterEach(() => {
  for (const name of namespaces.splice(0)) ip('netns', 'delete', name);
  rmSync(base, { recursive: true, force: true });
});

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

/** A network namespace with `lo` up, as the sandbox role makes it. */
function netns(label: string): string {
  const name = `mrt-test-${process.pid}-${label}`;
  ip('netns', 'add', name);
  namespaces.push(name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  return `/run/netns/${name}`;
}

const pod = (uid: string) => ({ state, uid, name: `pod-${uid}`, namespace: 'default' });
const hasBridge = (): boolean => existsSync(`/sys/class/net/${bridgeName(state)}`);
const reserved = (): string[] => {
  const dir = join(networkPaths(state).ipam, 'default');
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^[\d.]+$/.test(name)) : [];
};

describe('attach and detach', () => {
  test('gives an address that the host reaches, and takes everything back', async () => {
    const ns = netns('a');
    const got = await attachPod({ ...pod('a'), netns: ns }, forever);
    expect(got).toMatchObject({ ip: expect.stringMatching(/^10\.88\.\d+\.2$/) as string, interface: 'eth0' });
    expect(got.gateway).toBe(got.ip.replace(/2$/, '1'));
    expect(ip('-n', namespaces[0] ?? '', 'route')).toContain(`default via ${got.gateway} dev eth0`);
    expect(await hear(namespaces[0] ?? '', got.ip)).toBe('hello from the pod\n');
    expect(hostDevices(state, 'a').length).toBeGreaterThan(0);
    expect(reserved()).toEqual([got.ip]);
    await detachPod({ ...pod('a'), netns: ns }, forever);
    expect(reserved()).toEqual([]);
    expect(attachedPods(state)).toEqual([]);
    expect(hasBridge()).toBe(false);
    expect(ip('-n', namespaces[0] ?? '', '-br', 'link')).not.toContain('eth0');
  });

  test('keeps the bridge until the last pod leaves, and lets pods talk', async () => {
    const first = await attachPod({ ...pod('a'), netns: netns('a') }, forever);
    const second = await attachPod({ ...pod('b'), netns: netns('b') }, forever);
    expect(first.ip).not.toBe(second.ip);
    await detachPod(pod('a'), forever);
    expect(hasBridge()).toBe(true);
    expect(await hear(namespaces[1] ?? '', second.ip)).toBe('hello from the pod\n');
    await detachPod(pod('b'), forever);
    expect(hasBridge()).toBe(false);
  });

  test('detaching is idempotent, and needs no attach before it', async () => {
    await detachPod(pod('never'), forever);
    await attachPod({ ...pod('a'), netns: netns('a') }, forever);
    await detachPod(pod('a'), forever);
    await detachPod(pod('a'), forever);
    expect(hasBridge()).toBe(false);
  });

  test('detaches after a crash, when the namespace is gone', async () => {
    await attachPod({ ...pod('a'), netns: netns('a') }, forever);
    for (const name of namespaces.splice(0)) ip('netns', 'delete', name);
    await detachPod(pod('a'), forever);
    expect(reserved()).toEqual([]);
    expect(hasBridge()).toBe(false);
  });

  test('detaches when only the file of the namespace is left', async () => {
    const ns = netns('a');
    await attachPod({ ...pod('a'), netns: ns }, forever);
    execFileSync('umount', [ns]);
    await detachPod({ ...pod('a'), netns: ns }, forever);
    expect(reserved()).toEqual([]);
    expect(hasBridge()).toBe(false);
  });

  test('detaches after a crash in the middle of ADD', async () => {
    await attachPod({ ...pod('a'), netns: netns('a') }, forever);
    const cache = join(networkPaths(state).cache, 'a.json');
    const { result: _, ...begun } = JSON.parse(readFileSync(cache, 'utf8')) as Record<string, unknown>;
    writeFileSync(cache, JSON.stringify(begun));
    await detachPod(pod('a'), forever);
    expect(reserved()).toEqual([]);
    expect(hasBridge()).toBe(false);
  });

  test('attaches again after an owner that died', async () => {
    const ns = netns('a');
    await attachPod({ ...pod('a'), netns: ns }, forever);
    const again = await attachPod({ ...pod('a'), netns: ns }, forever);
    expect(reserved()).toEqual([again.ip]);
    expect(await hear(namespaces[0] ?? '', again.ip)).toBe('hello from the pod\n');
    const elsewhere = await attachPod({ ...pod('a'), netns: netns('b') }, forever);
    expect(reserved()).toEqual([elsewhere.ip]);
    await detachPod(pod('a'), forever);
    expect(hasBridge()).toBe(false);
  });

  test('gives every one of many at once its own address', async () => {
    const uids = Array.from({ length: 8 }, (_, index) => `p${index}`);
    const got = await Promise.all(uids.map((uid) => attachPod({ ...pod(uid), netns: netns(uid) }, forever)));
    expect(new Set(got.map((address) => address.ip)).size).toBe(8);
    await Promise.all(uids.map((uid) => detachPod(pod(uid), forever)));
    expect(hasBridge()).toBe(false);
  });

  test('bridges come and go under attaches without a miss', async () => {
    const rounds = ['x', 'y', 'z'].map(async (uid) => {
      const ns = netns(uid);
      for (let round = 0; round < 5; round++) {
        await attachPod({ ...pod(uid), netns: ns }, forever);
        await detachPod({ ...pod(uid), netns: ns }, forever);
      }
    });
    await Promise.all(rounds);
    expect(hasBridge()).toBe(false);
  });
});

describe('choosing the network', () => {
  test('two state folders at once never share a subnet', async () => {
    const states = ['s1', 's2', 's3', 's4'].map((name) => join(base, name));
    for (const dir of states) mkdirSync(dir);
    const got = await Promise.all(
      states.map((dir, index) => attachPod({ ...pod('a'), state: dir, netns: netns(`s${index}`) }, forever)),
    );
    const subnets = got.map((address) => address.ip.replace(/\.\d+$/, ''));
    await Promise.all(states.map((dir) => detachPod({ ...pod('a'), state: dir }, forever)));
    expect(new Set(subnets).size).toBe(4);
  });

  test('keeps its subnet, unless the host came to use it', async () => {
    const ns = netns('a');
    const first = await attachPod({ ...pod('a'), netns: ns }, forever);
    await detachPod(pod('a'), forever);
    const again = await attachPod({ ...pod('a'), netns: ns }, forever);
    expect(again.gateway).toBe(first.gateway);
    await detachPod(pod('a'), forever);
    const dummy = `mrtd${process.pid}`.slice(0, 15);
    ip('link', 'add', dummy, 'type', 'bridge');
    try {
      ip('addr', 'add', `${first.ip}/24`, 'dev', dummy);
      const moved = await attachPod({ ...pod('a'), netns: ns }, forever);
      expect(moved.gateway).not.toBe(first.gateway);
      await detachPod(pod('a'), forever);
    } finally {
      ip('link', 'delete', dummy);
    }
  });

  test('forgets everything of another boot', async () => {
    const { dir, ipam, cache, boot } = networkPaths(state);
    mkdirSync(join(ipam, 'default'), { recursive: true });
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(ipam, 'default', '10.88.0.2'), 'old\r\neth0');
    writeFileSync(join(cache, 'old.json'), '{}');
    writeFileSync(boot, 'another');
    await detachPod(pod('old'), forever);
    const got = await attachPod({ ...pod('a'), netns: netns('a') }, forever);
    expect(reserved()).toEqual([got.ip]);
    expect(attachedPods(state)).toEqual(['a']);
    await detachPod(pod('a'), forever);
    expect(existsSync(dir)).toBe(true);
  });
});

describe('failures', () => {
  test('a namespace that is not there: says so, and nothing stays', async () => {
    const attempt = attachPod({ ...pod('a'), netns: '/run/netns/mrt-none' }, forever);
    await expect(attempt).rejects.toMatchObject({
      code: 'network.failed',
      message: expect.stringContaining('add network default: bridge: ') as string,
    });
    expect(reserved()).toEqual([]);
    expect(hasBridge()).toBe(false);
  });

  test('a plugin that is not installed: says which and what to install, and leaves nothing to undo', async () => {
    const half = {
      cniVersion: '1.0.0',
      name: 'half',
      plugins: [{ type: 'bridge', bridge: 'mrtb0' }, { type: 'mrt-none' }],
    };
    writeFileSync(join(base, 'half.conflist'), JSON.stringify(half));
    vi.stubEnv('NETCONFPATH', base);
    await expect(attachPod({ ...pod('a'), netns: netns('a'), network: 'half' }, forever)).rejects.toMatchObject({
      code: 'network.no-plugin',
      message: expect.stringContaining('find CNI plugin: mrt-none: not in ') as string,
      hint: 'put it into /opt/cni/bin, or name its folder in CNI_PATH',
    });
    vi.unstubAllEnvs();
    expect(existsSync('/sys/class/net/mrtb0')).toBe(false);
    expect(attachedPods(state)).toEqual([]);
    expect(hasBridge()).toBe(false);
    await detachPod(pod('a'), forever);
  });

  test('an abort at any moment leaves nothing', async () => {
    const ns = netns('a');
    for (const ms of [0, 10, 30, 60, 100, 150]) {
      const attempt = attachPod({ ...pod('a'), netns: ns }, AbortSignal.timeout(ms));
      await attempt.then(
        () => detachPod(pod('a'), forever),
        (error: unknown) => {
          expect(error).toMatchObject({ name: 'TimeoutError' });
        },
      );
      expect(attachedPods(state)).toEqual([]);
      expect(reserved()).toEqual([]);
      expect(hasBridge()).toBe(false);
    }
  });
});

/** What a server in the namespace says to the host. */
async function hear(name: string, address: string): Promise<string> {
  const server = `require('net').createServer(s => s.end('hello from the pod\\n')).listen(8080, '${address}', () => console.log('ready'))`;
  const child = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const socket = connect(8080, address);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
