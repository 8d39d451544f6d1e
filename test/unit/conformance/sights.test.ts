import { expect, test } from 'vitest';
import { sights } from '../../conformance/sights.ts';

const print = (...mounts: readonly string[]): string =>
  [
    '## env',
    'HOME=/',
    'KUBERNETES_PORT=x',
    '## id',
    'uid=0(root) gid=0(root) groups=0(root),10(wheel)',
    '## status',
    'Seccomp:\t2',
    '## mounts',
    ...mounts,
    '## masked',
    '',
  ].join('\n');

test('what a container sees is compared without what is the host’s', () => {
  expect(
    sights(print('/etc/hosts ext4 rw,relatime,discard', '/proc/keys tmpfs rw,nosuid,size=1', '/sys sysfs ro,noexec')),
  ).toBe(
    sights(
      print(
        '/etc/hosts tmpfs rw,relatime',
        '/proc/keys devtmpfs rw',
        '/sys sysfs ro,noexec,relatime',
        '/sys/fs/cgroup cgroup2 ro',
      ),
    ),
  );
  expect(sights(print('/ overlay rw,lowerdir=X'))).toBe(
    '## env\nHOME=/\n## id\nuid=0(root) gid=0 groups=0,10\n## status\nSeccomp:\t<any>\n## mounts\n/ overlay rw\n## masked\n',
  );
});

test.each([
  ['/sys sysfs ro', '/sys sysfs rw'],
  ['/dev/shm tmpfs rw', '/dev/shm tmpfs rw,noexec'],
  ['/etc/hosts ext4 ro', '/etc/hosts ext4 rw'],
  ['/proc/keys tmpfs rw', '/sys sysfs ro'],
])('%s is not %s', (a, b) => {
  expect(sights(print(a))).not.toBe(sights(print(b)));
});

test('any other text stays as it is', () => {
  expect(sights('KUBERNETES_PORT=x\n## env\n')).toBe('KUBERNETES_PORT=x\n## env\n');
});
