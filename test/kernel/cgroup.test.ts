import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCgroups } from '../../src/container/cgroup.ts';
import type { ContainerCgroup, Cgroups } from '../../src/container/cgroup.ts';
import { killUnifiedFrozen } from '../../src/container/cgroup/killer.ts';
import { underSystemd } from '../../src/sys/host.ts';
import { stateTag } from '../../src/sys/state-tag.ts';
import { isHost } from '../support/hosts.ts';

const CONTAINER = '0123456789ab'.padEnd(64, 'f');

/** Forty loops that fork faster than their pids can be read. */
const BOMB = 'echo ready; i=0; while [ $i -lt 40 ]; do (while :; do (sleep 0.01); done) & i=$((i+1)); done; wait';

/** Each kind of host, as a mount table: of the real host, of a private mount namespace, of the host's v1 parts only. */
interface Host {
  readonly mode: 'v1' | 'hybrid' | 'v2';
  mountinfo(dir: string): Promise<{ readonly text: string; readonly keeper?: ChildProcess }>;
}

const ownTable = (): string => readFileSync('/proc/self/mountinfo', 'utf8');
const only = (text: string, pattern: RegExp): string =>
  text
    .split('\n')
    .filter((line) => pattern.test(line))
    .join('\n');

const hosts: readonly Host[] = [
  { mode: 'hybrid', mountinfo: async () => ({ text: ownTable() }) },
  { mode: 'v1', mountinfo: async () => ({ text: only(ownTable(), / - cgroup /) }) },
  { mode: 'v2', mountinfo: async (dir) => (isHybrid ? plainCgroup2(dir) : { text: ownTable() }) },
];

/** A cgroup2 mount in a mount namespace of its own, which is reached through /proc: the host's table stays as it is. */
async function plainCgroup2(dir: string): Promise<{ text: string; keeper: ChildProcess }> {
  const there = join(dir, 'cgroup2');
  mkdirSync(there);
  const script = `mount -t cgroup2 none ${there} && echo ready && exec sleep 600`;
  const keeper = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(keeper.stdout, 'data');
  const table = readFileSync(`/proc/${keeper.pid}/mountinfo`, 'utf8');
  return { text: only(table, new RegExp(` ${there} `)).replace(there, `/proc/${keeper.pid}/root${there}`), keeper };
}

const present = ownTable();
const isHybrid = / - cgroup /.test(present) && / - cgroup2 /.test(present);

const here = hosts.filter(({ mode }) => isHost(mode === 'v2' || isHybrid, 'hybrid hosts', `cgroups on ${mode}`));

describe.each(here)('cgroups on $mode', (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'mrt-cg-'));
  const started: ChildProcess[] = [];
  const mountinfo = join(dir, 'mountinfo');
  const state = join(dir, 'state');
  let keeper: ChildProcess | undefined;
  let cgroups: Cgroups;

  beforeAll(async () => {
    const table = await host.mountinfo(dir);
    keeper = table.keeper;
    writeFileSync(mountinfo, table.text);
  });
  beforeEach(async () => {
    cgroups = await openCgroups({ state, owner: 'foreground', mountinfo });
  });
  afterEach(async () => {
    await cgroups.removeAll();
    expectNothingLeft();
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });
  afterAll(async () => {
    if (keeper !== undefined) {
      keeper.kill('SIGKILL');
      await once(keeper, 'exit');
    }
    rmSync(dir, { recursive: true });
  });

  /** The top-level cgroup goes with its last pod; a unit is systemd's to remove. */
  function expectNothingLeft(): void {
    const { root, systemd } = cgroups.describe();
    if (systemd) expect(readdirSync(root).filter((name) => name.startsWith('pod'))).toEqual([]);
    else expect(existsSync(root)).toBe(false);
  }

  /** A process that enters the cgroups before it does what `script` says; resolves when it says ready. */
  async function run(where: ContainerCgroup, script: string, below = ''): Promise<ChildProcess> {
    const dirs = where.cgroup2 === undefined ? where.cgroup1 : [join(where.cgroup2, below)];
    const enter = dirs.map((path) => `echo 0 > ${path}/cgroup.procs`).join(' && ');
    const child = spawn('sh', ['-c', `${enter} && ${script}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  test('finds its mode and keeps to one top-level cgroup named after the state folder', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER);
    expect(cgroups.describe()).toMatchObject({ mode: host.mode, systemd: underSystemd() && host.mode !== 'v1' });
    expect(cgroups.mode).toBe(host.mode);
    expect(made.path).toBe(join(cgroups.describe().root, 'poduid-1', '0123456789ab'));
    expect(made.path).toMatch(new RegExp(`/minirt-${stateTag(state)}[^/]*/poduid-1/`));
    expect(made.cgroup2 === undefined).toBe(host.mode === 'v1');
    expect(made.cgroup1.length).toBe(host.mode === 'v1' ? 2 : 0);
    expect(made.devices).toBe(host.mode === 'v1' ? 'all' : 'default');
    await made.remove();
    expect(existsSync(dirname(made.path))).toBe(false);
    expectNothingLeft();
  });

  test('kills the deaf, their children and those in a leaf, and resolves when empty', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER);
    const deaf = `trap '' TERM INT HUP; (trap '' TERM; while :; do sleep 1; done) & echo ready; wait`;
    const child = await run(made, deaf);
    if (made.cgroup2 !== undefined) {
      mkdirSync(join(made.cgroup2, 'exec-1'));
      await run(made, 'echo ready; exec sleep 600', 'exec-1');
    }
    expect(await made.pids()).toContain(child.pid);
    const before = await made.pids();
    expect(before.length).toBeGreaterThanOrEqual(2);
    await made.kill();
    expect(await made.pids()).toEqual([]);
    for (const pid of before) expect(isRunning(pid)).toBe(false);
    await made.remove();
    expect(existsSync(made.path)).toBe(false);
  });

  test('wins against a fork bomb', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER);
    await run(made, BOMB);
    await made.remove();
    expect(existsSync(made.path)).toBe(false);
  });

  if (host.mode !== 'v1')
    test('wins without cgroup.kill as well', async () => {
      const made = await cgroups.createContainer('uid-1', CONTAINER);
      await run(made, BOMB);
      await killUnifiedFrozen(made.path);
      expect(await made.pids()).toEqual([]);
    });

  test('removes with processes in it, twice over, and what is gone already', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER);
    await run(made, 'echo ready; exec sleep 600');
    await Promise.all([made.remove(), made.remove()]);
    await made.remove();
    await made.kill();
    expect(await made.pids()).toEqual([]);
    await cgroups.removePod('uid-1');
  });

  test('is adopted by its path', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER);
    const child = await run(made, 'echo ready; exec sleep 600');
    const other = await openCgroups({ state: join(dir, 'elsewhere'), owner: 'supervisor', mountinfo });
    const adopted = other.fromPath(made.path);
    expect(await adopted.pids()).toEqual([child.pid]);
    expect(await cgroups.container('uid-1', CONTAINER).pids()).toEqual([child.pid]);
    await adopted.remove();
    expect(existsSync(dirname(made.path))).toBe(false);
  });

  test('refuses to adopt what is no container of ours', () => {
    const { root } = cgroups.describe();
    for (const path of [dirname(root), '/', `${root}/../../etc`, `${root}/podx`]) {
      expect(() => cgroups.fromPath(path)).toThrow(expect.objectContaining({ code: 'state.corrupt' }));
    }
  });

  test('makes and removes many at once', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => index.toString(16).padStart(12, '0'));
    await Promise.all(
      ids.map(async (id, index) => {
        const made = await cgroups.createContainer(`uid-${index % 3}`, id);
        if (index % 5 === 0) await run(made, 'echo ready; exec sleep 600');
        await made.remove();
      }),
    );
    expectNothingLeft();
  });

  if (host.mode === 'v1')
    test('closes devices through the v1 controller', async () => {
      const made = await cgroups.createContainer('uid-1', CONTAINER);
      const child = await run(made, `head -c1 /dev/zero >/dev/null && ! head -c1 /dev/vda 2>/dev/null && echo ready`);
      expect(await exitCode(child)).toBe(0);
      const open = await cgroups.createContainer('uid-2', CONTAINER, 'all');
      const list = open.cgroup1.find((path) => existsSync(join(path, 'devices.list')));
      expect(readFileSync(join(list ?? '', 'devices.list'), 'utf8')).toBe('a *:* rwm\n');
    });
});

test('says what is missing where there are no cgroups', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mrt-cg-'));
  const mountinfo = join(dir, 'mountinfo');
  writeFileSync(mountinfo, '27 1 254:0 / / rw - ext4 /dev/vda rw\n');
  const none = openCgroups({ state: dir, owner: 'foreground', mountinfo });
  await expect(none).rejects.toMatchObject({
    code: 'host.no-cgroup',
    hint: expect.stringContaining('mount') as string,
  });
  writeFileSync(mountinfo, '41 31 0:38 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n');
  const readOnly = openCgroups({ state: dir, owner: 'foreground', mountinfo });
  await expect(readOnly).rejects.toMatchObject({
    code: 'host.no-cgroup',
    message: expect.stringContaining('read-only') as string,
  });
  rmSync(dir, { recursive: true });
});

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
