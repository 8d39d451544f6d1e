import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { delegateSelf } from '../../src/container/cgroup.ts';
import { delegatedUnit } from '../../src/container/cgroup/systemd.ts';
import { underSystemd } from '../../src/sys/host.ts';
import { isHost } from '../support/hosts.ts';

const UNIT = `minirt-test-${process.pid}.service`;

function show(property: string): string {
  return execFileSync('systemctl', ['show', `--property=${property}`, '--value', UNIT], { encoding: 'utf8' }).trim();
}

/** scripts/vm has such a host. */
const systemd = isHost(underSystemd(), 'hosts where systemd is PID 1', 'delegation by systemd');

if (systemd) describe('a supervisor’s service', ofSystemd);
else
  test('without systemd nobody delegates, and that is said', async () => {
    await expect(delegateSelf('scope', 'minirt-test.scope')).rejects.toMatchObject({ code: 'host.no-cgroup' });
  });

function ofSystemd(): void {
  const service = {
    unit: UNIT,
    description: 'a test of minirt',
    command: ['/bin/sh', '-c', 'exec sleep "$FOR"'],
    env: { FOR: '600', WITH_BLANK: 'a b' },
  };

  afterEach(() => {
    // Its restart may be under way; a service that is gone is no error here. Stopping alone spares what it started.
    spawnSync('systemctl', ['stop', UNIT]);
    spawnSync('systemctl', ['kill', '--signal=KILL', UNIT]);
  });

  test('has a delegated cgroup in our slice, and comes back when it is killed', async () => {
    await delegateSelf('service', service);
    await expect.poll(() => show('ActiveState'), { timeout: 20_000 }).toBe('active');
    expect(['Delegate', 'KillMode', 'Slice', 'Restart'].map(show)).toEqual([
      'yes',
      'process',
      'minirt.slice',
      'on-failure',
    ]);
    const pid = Number(show('MainPID'));
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('WITH_BLANK=a b\0');
    const [, path] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
    expect(path).toBe(`/minirt.slice/${UNIT}`);
    expect(await delegatedUnit(`/sys/fs/cgroup${path}/owner`)).toBe(`/sys/fs/cgroup${path}`);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => Number(show('MainPID')), { timeout: 20_000 }).toSatisfy((now) => now !== 0 && now !== pid);
  });

  test('asked for twice is one', async () => {
    await delegateSelf('service', service);
    await delegateSelf('service', service);
    expect(show('ActiveState')).toBe('active');
  });

  test('that was stopped while something of it runs on is started again', async () => {
    await delegateSelf('service', { ...service, command: ['/bin/sh', '-c', 'sleep 600 & exec sleep "$FOR"'] });
    const procs = `/sys/fs/cgroup/minirt.slice/${UNIT}/cgroup.procs`;
    await expect.poll(() => readFileSync(procs, 'utf8').trim().split('\n').length, { timeout: 20_000 }).toBe(2);
    execFileSync('systemctl', ['stop', UNIT]);
    expect(show('ActiveState')).toBe('inactive');
    const [left = ''] = readFileSync(procs, 'utf8').split('\n');
    expect(Number(left)).toBeGreaterThan(0);
    await delegateSelf('service', service);
    await expect.poll(() => show('ActiveState'), { timeout: 20_000 }).toBe('active');
    expect(readFileSync(procs, 'utf8').split('\n')).toContain(left);
  });

  test('asked to go while it starts has not failed', async () => {
    // What runs on keeps systemd from forgetting the unit, and how it ended.
    const line = 'sleep 600 & trap "exit 143" TERM; sleep 600 & wait';
    await delegateSelf('service', { ...service, command: ['/bin/sh', '-c', line] });
    const procs = `/sys/fs/cgroup/minirt.slice/${UNIT}/cgroup.procs`;
    await expect.poll(() => readFileSync(procs, 'utf8').trim().split('\n').length, { timeout: 20_000 }).toBe(3);
    execFileSync('systemctl', ['stop', UNIT]);
    expect(['LoadState', 'ActiveState', 'Result', 'ExecMainStatus'].map(show)).toEqual([
      'loaded',
      'inactive',
      'success',
      '143',
    ]);
  });

  test('somebody else’s unit is not taken for ours', async () => {
    expect(await delegatedUnit('/sys/fs/cgroup/init.scope')).toBeUndefined();
    expect(await delegatedUnit('/sys/fs/cgroup/system.slice')).toBeUndefined();
    expect(await delegatedUnit('/sys/fs/cgroup/system.slice/dbus.service')).toBeUndefined();
  });
}
