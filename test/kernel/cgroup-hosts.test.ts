import { describe, expect, test } from 'vitest';
import { findHierarchies, parseOwnCgroups } from '../../src/container/cgroup/hierarchy.ts';
import { scopeProperties, serviceProperties, startTransientCall } from '../../src/container/cgroup/systemd.ts';
import { parseMountinfo } from '../../src/sys/mountinfo.ts';

/** Mount tables of hosts that this one is not. */
const tables = {
  'Debian 12 under systemd': '31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate',
  'systemd hybrid': [
    '31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755',
    '32 31 0:29 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate',
    '33 31 0:30 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd',
    '34 31 0:31 / /sys/fs/cgroup/devices rw,nosuid - cgroup cgroup rw,devices',
  ].join('\n'),
  'old v1': [
    '33 31 0:30 / /sys/fs/cgroup/freezer rw,nosuid - cgroup cgroup rw,freezer',
    '34 31 0:31 / /sys/fs/cgroup/devices rw,nosuid - cgroup cgroup rw,devices',
  ].join('\n'),
  'a container with the host’s cgroups read-only': [
    '31 23 0:27 /docker/abc /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw',
    '35 23 0:27 /docker/abc /mnt/cg rw,nosuid - cgroup2 cgroup2 rw',
  ].join('\n'),
};

function find(table: string, own: string) {
  return findHierarchies(parseMountinfo(`${table}\n`), own);
}

describe('findHierarchies', () => {
  test('pure v2: one hierarchy, and this process in its scope', () => {
    const found = find(tables['Debian 12 under systemd'], '0::/user.slice/user-0.slice/session-1.scope\n');
    expect(found).toMatchObject({ mode: 'v2', freezer: undefined, devices: undefined });
    expect(found.unified).toEqual({
      dir: '/sys/fs/cgroup',
      own: '/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope',
      writable: true,
      names: [],
    });
  });

  test('hybrid: cgroup2 is where it is mounted', () => {
    const found = find(tables['systemd hybrid'], '4:devices:/system.slice\n0::/init.scope\n');
    expect(found.mode).toBe('hybrid');
    expect(found.unified?.own).toBe('/sys/fs/cgroup/unified/init.scope');
    expect(found.devices?.own).toBe('/sys/fs/cgroup/devices/system.slice');
  });

  test('v1: freezer and devices', () => {
    const found = find(tables['old v1'], '4:devices,freezer:/a\n');
    expect(found).toMatchObject({ mode: 'v1', unified: undefined });
    const [dir, own] = ['/sys/fs/cgroup/freezer', '/sys/fs/cgroup/freezer/a'];
    expect(found.freezer).toEqual({ dir, own, writable: true, names: ['freezer'] });
  });

  test('a writable mount comes before a read-only one, and paths are beneath the mount’s root', () => {
    const found = find(tables['a container with the host’s cgroups read-only'], '0::/docker/abc/x\n');
    expect(found.unified).toEqual({ dir: '/mnt/cg', own: '/mnt/cg/x', writable: true, names: [] });
    expect(
      find(tables['a container with the host’s cgroups read-only'], '0::/elsewhere\n').unified?.own,
    ).toBeUndefined();
  });

  test.each([
    ['nothing at all', '1 0 8:1 / / rw - ext4 /dev/sda rw', /no cgroup filesystem is mounted/],
    ['v1 without a freezer', '1 0 0:1 / /cg rw - cgroup cgroup rw,memory', /neither cgroup2 nor the v1 freezer/],
    ['read-only by the superblock', '1 0 0:1 / /cg rw - cgroup2 none ro', /mounted read-only/],
  ])('%s is refused with what is missing', (_, table, message) => {
    expect(() => find(table, '')).toThrow(expect.objectContaining({ code: 'host.no-cgroup' }));
    expect(() => find(table, '')).toThrow(message);
  });
});

test('a path may hold colons', () => {
  expect(parseOwnCgroups('12:cpu,cpuacct:/a:b\n0::/x:y\n')).toEqual(
    new Map([
      ['cpu', '/a:b'],
      ['cpuacct', '/a:b'],
      ['', '/x:y'],
    ]),
  );
});

describe('what systemd is asked', () => {
  test('a scope around one process', () => {
    const words = startTransientCall('minirt-01234567-9.scope', scopeProperties(9));
    const head = 'StartTransientUnit ssa(sv)a(sa(sv)) minirt-01234567-9.scope fail 5 Description s'.split(' ');
    const tail = 'Slice s minirt.slice Delegate b true CollectMode s inactive-or-failed PIDs au 1 9 0'.split(' ');
    expect(words.slice(words.indexOf('--') + 5)).toEqual([...head, 'minirt pod in the foreground', ...tail]);
  });

  test('a service with its command line and environment', () => {
    const properties = serviceProperties({
      unit: 'minirt-01234567.service',
      description: 'minirt',
      command: ['/usr/bin/node', 'main.js', 'a b'],
      env: { A: '1 2', B: '' },
    });
    expect(properties).toContainEqual(['Environment', 'as', '2', 'A=1 2', 'B=']);
    expect(properties).toContainEqual(['KillMode', 's', 'process']);
    expect(properties).toContainEqual([
      'ExecStart',
      'a(sasb)',
      '1',
      '/usr/bin/node',
      '3',
      '/usr/bin/node',
      'main.js',
      'a b',
      'false',
    ]);
  });
});
