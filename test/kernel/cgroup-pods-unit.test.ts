import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openCgroups } from '../../src/container/cgroup.ts';
import type { Limits } from '../../src/container/cgroup/limits.ts';
import { underSystemd } from '../../src/sys/host.ts';
import { stateTag } from '../../src/sys/state-tag.ts';
import { isHost } from '../support/hosts.ts';

const ids = ['0123456789ab', 'ba9876543210'] as const;
const some: Limits = { cpuShares: 512, cpuQuota: 50_000, memory: 32n << 20n, hugePages: undefined };
const limits = { pod: some, container: some };

if (isHost(underSystemd(), 'hosts where systemd is PID 1', 'the unit of pods with limits')) ofSystemd();
else test('without systemd there is no such unit', () => expect(underSystemd()).toBe(false));

function ofSystemd(): void {
  const dir = mkdtempSync(join(tmpdir(), 'mrt-pods-'));
  const state = join(dir, 'state');
  const unit = `minirt-${stateTag(state)}-pods.service`;
  const show = (property: string): string =>
    execFileSync('systemctl', ['show', `--property=${property}`, '--value', unit], { encoding: 'utf8' }).trim();

  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  test('pods of a supervisor with limits are in a unit of their own, which goes with the last of them', async () => {
    const cgroups = await openCgroups({ state, owner: 'supervisor' });
    const [a, b] = await Promise.all(ids.map((id, i) => cgroups.createContainer(`uid-${i}`, id, 'default', limits)));
    const plain = await cgroups.createContainer('uid-2', ids[0]);
    const top = dirname(dirname(a?.path ?? ''));
    expect(basename(top)).toBe(unit);
    expect(show('ActiveState')).toBe('active');
    expect(readFileSync(join(a?.path ?? '', 'memory.max'), 'utf8').trim()).toBe(String(32 << 20));
    expect(readFileSync(join(a?.path ?? '', 'cpu.max'), 'utf8').trim()).toBe('50000 100000');
    expect(dirname(dirname(plain.path))).toBe(cgroups.describe().root);
    expect(readFileSync(join(cgroups.describe().root, 'cgroup.subtree_control'), 'utf8').trim()).toBe('');
    expect(cgroups.container('uid-0', ids[0]).path).toBe(a?.path);
    await a?.remove();
    expect(existsSync(top)).toBe(true);
    await cgroups.removePod('uid-1');
    expect(existsSync(b?.path ?? '')).toBe(false);
    expect(existsSync(top)).toBe(false);
    expect(show('ActiveState')).toBe('inactive');
    await plain.remove();
  });

  test('it is there again for the next one, also after its own process was killed', async () => {
    const cgroups = await openCgroups({ state, owner: 'supervisor' });
    const first = await cgroups.createContainer('uid-0', ids[0], 'default', limits);
    process.kill(Number(show('MainPID')), 'SIGKILL');
    await expect.poll(() => show('ActiveState'), { timeout: 20_000 }).toBe('inactive');
    const second = await cgroups.createContainer('uid-1', ids[1], 'default', limits);
    expect(readFileSync(join(second.path, 'memory.max'), 'utf8').trim()).toBe(String(32 << 20));
    await first.remove();
    await second.remove();
    expect(existsSync(dirname(dirname(second.path)))).toBe(false);
  });

  test('what an earlier owner made is found by its path, and the unit goes with it', async () => {
    const earlier = await openCgroups({ state, owner: 'supervisor' });
    const { path } = await earlier.createContainer('uid-0', ids[0], 'default', limits);
    const later = await openCgroups({ state, owner: 'supervisor' });
    await later.fromPath(path).remove();
    expect(existsSync(dirname(dirname(path)))).toBe(false);
    expect(show('ActiveState')).toBe('inactive');
  });
}
