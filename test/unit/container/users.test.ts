import { describe, expect, test } from 'vitest';
import { isMinirtError } from '../../../src/base/errors.ts';
import { resolveUser } from '../../../src/container/users.ts';

const passwd = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33::/var/www:/usr/sbin/nologin
app:x:1000:2000:An App:/home/app:/bin/sh
homeless:x:1001:1001:::/bin/sh
`;
const group = `root:x:0:
daemon:x:1:
www-data:x:33:app
app:x:2000:
audio:x:29:app,www-data
wheel:x:10:root,app
`;
const resolve = (spec: string): ReturnType<typeof resolveUser> => resolveUser(spec, passwd, group);

describe('a user', () => {
  test.each([
    // spec, uid, gid, groups, home
    ['', 0, 0, [0, 10], '/root'],
    ['root', 0, 0, [0, 10], '/root'],
    ['0', 0, 0, [0, 10], '/root'],
    ['app', 1000, 2000, [2000, 33, 29, 10], '/home/app'],
    ['1000', 1000, 2000, [2000, 33, 29, 10], '/home/app'],
    ['app:', 1000, 2000, [2000, 33, 29, 10], '/home/app'],
    ['app:audio', 1000, 29, [29], '/home/app'],
    ['app:29', 1000, 29, [29], '/home/app'],
    ['1000:audio', 1000, 29, [29], '/home/app'],
    ['1000:29', 1000, 29, [29], '/home/app'],
    ['4242', 4242, 0, [0], '/'],
    ['4242:4343', 4242, 4343, [4343], '/'],
    ['4242:audio', 4242, 29, [29], '/'],
    [':audio', 0, 29, [29], '/root'],
    ['homeless', 1001, 1001, [1001], '/'],
    ['2147483647:2147483647', 2147483647, 2147483647, [2147483647], '/'],
    // crun's `exec -u 1` ran as root.
    ['1', 1, 1, [1], '/usr/sbin'],
    ['0001', 1, 1, [1], '/usr/sbin'],
    ['1:2', 1, 2, [2], '/usr/sbin'],
  ])('%j is uid %i, gid %i, groups %j, home %s', (spec, uid, gid, groups, home) => {
    expect(resolve(spec)).toEqual({ uid, gid, groups, home });
  });

  test.each([
    ['nobody-here', 'the image has no user nobody-here'],
    ['app:no-such-group', 'the image has no group no-such-group'],
    ['1000:no-such-group', 'the image has no group no-such-group'],
    ['app:audio:wheel', 'more than one colon'],
    ['::', 'more than one colon'],
    ['+1', 'is not an id'],
    ['-1', 'is not an id'],
    ['app:-1', 'is not an id'],
    ['2147483648', 'is not an id'],
    ['4294967295', 'is not an id'],
    ['4294967296', 'is not an id'],
    ['18446744073709551616', 'is not an id'],
    ['0:4294967296', 'is not an id'],
    ['1e3', 'the image has no user'],
    ['0x1', 'the image has no user'],
    [' 1', 'the image has no user'],
    ['1 ', 'the image has no user'],
    ['1.0', 'the image has no user'],
    ['١', 'the image has no user'],
    ['Root', 'the image has no user'],
    ['root\n', 'the image has no user'],
  ])('%j is refused: %s', (spec, why) => {
    expect(refusal(() => resolve(spec))).toContain(why);
  });
});

describe('hostile files', () => {
  test('a number is never looked up as a name', () => {
    expect(resolveUser('1000', '1000:x:0:0::/root:/bin/sh\n', '1000:x:0:\n')).toEqual({
      uid: 1000,
      gid: 0,
      groups: [0],
      home: '/',
    });
    expect(resolveUser('5:1000', '', '1000:x:0:\n')).toMatchObject({ uid: 5, gid: 1000, groups: [1000] });
  });

  test.each([
    ['a uid that is too large', 'evil:x:4294967296:0::/:/bin/sh'],
    ['a negative uid', 'evil:x:-1:0::/:/bin/sh'],
    ['an empty uid', 'evil:x::0::/:/bin/sh'],
    ['a uid that is not decimal', 'evil:x:0x0:0::/:/bin/sh'],
    ['a gid that is too large', 'evil:x:5:4294967296::/:/bin/sh'],
    ['too few fields', 'evil:x'],
    ['a comment', '#evil:x:0:0::/:/bin/sh'],
    ['no name', ':x:0:0::/:/bin/sh'],
  ])('a line with %s is no account', (_what, line) => {
    expect(() => resolveUser('evil', `${line}\n`, '')).toThrow(expect.objectContaining({ code: 'image.invalid' }));
  });

  test.each([
    ['is relative', 'home'],
    ['has an escape sequence', '/home/\u001b[2J'],
    ['has a NUL', '/home\0/root'],
    ['has a carriage return', '/home\rroot2'],
  ])('a home that %s is /', (_what, home) => {
    expect(resolveUser('app', `app:x:5:5::${home}:/bin/sh\n`, '').home).toBe('/');
  });

  test('the first line of a name and of a number counts', () => {
    const twice = 'app:x:5:5::/first:/bin/sh\napp:x:0:0::/second:/bin/sh\nother:x:5:0::/third:/bin/sh\n';
    expect(resolveUser('app', twice, '')).toMatchObject({ uid: 5, gid: 5, home: '/first' });
    expect(resolveUser('5', twice, '')).toMatchObject({ gid: 5, home: '/first' });
  });

  test('lines may end as on Windows, and the last one not at all', () => {
    expect(resolveUser('app', 'app:x:5:6::/home/app\r\nb:x:7:8::/b', 'g:x:9:app\r\n')).toMatchObject({
      groups: [6, 9],
      home: '/home/app',
    });
    expect(resolveUser('b', 'app:x:5:6::/home/app\r\nb:x:7:8::/b', '')).toMatchObject({ uid: 7, home: '/b' });
  });

  test('more groups than the kernel takes are refused before it is asked', () => {
    const many = Array.from({ length: 70_000 }, (_, n) => `g${n}:x:${n}:app`).join('\n');
    expect(refusal(() => resolveUser('app', passwd, many))).toContain('groups');
    expect(resolveUser('app:29', passwd, many).groups).toEqual([29]);
  });

  test('one group that is listed ten thousand times is one group', () => {
    const many = 'audio:x:29:app\n'.repeat(10_000);
    expect(resolveUser('app', passwd, many).groups).toEqual([2000, 29]);
  });
});

/** Why it was refused; the code is always the same. */
function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (isMinirtError(error, 'image.invalid')) return error.message;
    throw error;
  }
  return 'it was not refused';
}
