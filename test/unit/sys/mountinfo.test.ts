import { expect, test } from 'vitest';
import { parseMountinfo } from '../../../src/sys/mountinfo.ts';

test('reads a line with optional fields and octal escapes', () => {
  const line =
    '36 35 98:0 /a\\040b /mnt/gr\\303\\274n\\134 rw,noatime shared:1 master:2 - ext4 /dev/root\\011x rw,errors=continue';
  expect(parseMountinfo(`${line}\n`)).toEqual([
    {
      id: 36,
      device: '98:0',
      root: '/a b',
      mountPoint: '/mnt/grün\\',
      options: ['rw', 'noatime'],
      tags: ['shared:1', 'master:2'],
      type: 'ext4',
      source: '/dev/root\tx',
      superOptions: ['rw', 'errors=continue'],
    },
  ]);
});

test('keeps names that are written in plain UTF-8', () => {
  expect(parseMountinfo('1 0 0:1 / /mnt/ä\\040ö rw - tmpfs none rw\n')[0]?.mountPoint).toBe('/mnt/ä ö');
});

test('leaves out what is no mount', () => {
  expect(parseMountinfo('\nnonsense\n1 2 3\n')).toEqual([]);
});
