import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Cgroups, openCgroups } from '../../src/container/cgroup.ts';
import { findPodCgroups } from '../../src/container/cgroup/census.ts';
import type { Limits } from '../../src/container/cgroup/limits.ts';

import { unmetWishes } from '../../src/pod/act/resources.ts';
import { thisNode } from '../../src/sys/node.ts';
import { aPod } from '../support/pods.ts';

const CONTAINER = '0123456789ab'.padEnd(64, 'f');
const none: Limits = { cpuShares: undefined, cpuQuota: undefined, memory: undefined, hugePages: undefined };
const some: Limits = { ...none, cpuShares: 512, cpuQuota: 50_000, memory: 32n << 20n };

/** Mount tables of hosts that lack a controller, made of this host's own. */
const table = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
const isV1 = (controller: string) => (line: string) => new RegExp(` - cgroup \\S+ .*\\b${controller}\\b`).test(line);

describe('limits', () => {
  const dir = mkdtempSync(join(tmpdir(), 'mrt-lim-'));
  const state = join(dir, 'state');
  let cgroups: Cgroups;

  async function open(lines: readonly string[] = table): Promise<Cgroups> {
    const mountinfo = join(dir, 'mountinfo');
    writeFileSync(mountinfo, lines.join('\n'));
    return openCgroups({ state, owner: 'foreground', mountinfo });
  }

  beforeEach(async () => {
    cgroups = await open();
  });
  afterEach(async () => {
    await cgroups.removeAll();
    expect(findPodCgroups(state)).toEqual([]);
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  /** A file of the container's cgroup, or of its pod's, in whichever hierarchy it is. */
  function read(
    made: { readonly path: string; readonly cgroup1: readonly string[] },
    files: readonly string[],
  ): string {
    const file = [made.path, ...made.cgroup1].flatMap((at) => files.map((name) => join(at, name))).find(existsSync);
    return file === undefined ? 'no such file' : readFileSync(file, 'utf8').trim();
  }

  test('are set, and what keeps them is removed with the container', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: none, container: some });
    expect(read(made, ['memory.max', 'memory.limit_in_bytes'])).toBe(String(32 << 20));
    expect(read(made, ['cpu.max', 'cpu.cfs_quota_us']).split(' ')[0]).toBe('50000');
    expect(made.oomKills()).toBe(0);
    await made.remove();
    for (const folder of [made.path, ...made.cgroup1]) expect(existsSync(dirname(folder))).toBe(false);
  });

  test('of the pod are kept beside the container by the path alone', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: some, container: none });
    const other = await openCgroups({ state: join(dir, 'other'), owner: 'supervisor' });
    await other.fromPath(made.path).remove();
    for (const folder of [made.path, ...made.cgroup1]) expect(existsSync(dirname(folder))).toBe(false);
  });

  test('that nobody asked for join nothing', async () => {
    const made = await cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: none, container: none });
    const plain = await cgroups.createContainer('uid-1', CONTAINER.replace('0', '1'));
    expect(made.cgroup1).toEqual(plain.cgroup1);
    expect(made.shown).toEqual([]);
  });

  if (table.some(isV1('memory'))) {
    test.each(['memory', 'cpu'] as const)(
      'without a %s controller are refused, and nothing is left',
      async (missing) => {
        cgroups = await open(table.filter((line) => !isV1(missing)(line)));
        expect(cgroups.describe().controllers).not.toContain(missing);
        const made = cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: none, container: some });
        const message = new RegExp(`limit ${missing}: .*there is no ${missing} controller \\(cgroup hybrid\\)`);
        await expect(made).rejects.toThrow(message);
        await expect(made).rejects.toMatchObject({ code: 'host.no-controller' });
        expect(findPodCgroups(state)).toEqual([]);
      },
    );

    test('of hosts with cgroup v1 only are kept, beside the freezer', async () => {
      cgroups = await open(table.filter((line) => !/ - cgroup2 /.test(line)));
      const made = await cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: some, container: some });
      expect(cgroups.mode).toBe('v1');
      expect(made.cgroup1.map((path) => path.split('/')[4])).toEqual(['freezer', 'devices', 'cpu', 'memory']);
      expect(made.shown).toEqual([['cpu'], ['memory']]);
      expect(read(made, ['memory.limit_in_bytes'])).toBe(String(32 << 20));
    });

    test('without a cpu controller weight is left out: it is a wish', async () => {
      cgroups = await open(table.filter((line) => !isV1('cpu')(line)));
      const wish = { ...none, cpuShares: 512 };
      const made = await cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: wish, container: wish });
      expect(made.shown).toEqual([]);
      const containers = [{ resources: { limits: {}, requests: { cpu: '1' } } }];
      const [told = ''] = unmetWishes(aPod({ containers }), cgroups, thisNode('/'));
      expect(told).toBe('requests.cpu has no effect: this host (cgroup hybrid) has no cpu controller');
    });
  }

  test('that the kernel does not take are refused in its words', async () => {
    const container = { ...none, cpuQuota: 10 };
    const made = cgroups.createContainer('uid-1', CONTAINER, 'default', { pod: none, container });
    await expect(made).rejects.toThrow(/limit cpu: .*EINVAL/);
    await expect(made).rejects.toMatchObject({ code: 'host.no-controller' });
    expect(findPodCgroups(state)).toEqual([]);
  });
});
