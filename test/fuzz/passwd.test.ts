import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isMinirtError } from '../../src/base/errors.ts';
import type { Credentials } from '../../src/container/spec.ts';
import { resolveUser } from '../../src/container/users.ts';

const LARGEST_ID = 2 ** 31 - 1;

/** What an image may have put into a field: names, numbers at the edges, and anything else. */
const field = fc.oneof(
  fc.constantFrom(
    '',
    'root',
    'app',
    'x',
    '0',
    '1',
    '1000',
    '-1',
    '+1',
    '2147483647',
    '2147483648',
    '4294967296',
    '/',
    '/root',
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const line = fc.array(field, { maxLength: 8 }).map((fields) => fields.join(':'));
const file = fc.oneof(
  fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const spec = fc.oneof(
  fc.constantFrom('', 'root', 'app', '0', '1000', 'app:x', '1000:1000', ':', '-1', '4294967296'),
  field,
  fc.tuple(field, field).map((parts) => parts.join(':')),
);

test('any user in any files is credentials in range, or refused by code', () => {
  fc.assert(
    fc.property(spec, file, file, (user, passwd, group) => {
      const found = attempt(user, passwd, group);
      if (found === undefined) return;
      for (const id of [found.uid, found.gid, ...found.groups]) {
        expect(Number.isInteger(id) && id >= 0 && id <= LARGEST_ID).toBe(true);
      }
      expect(found.groups).toContain(found.gid);
      expect(new Set(found.groups).size).toBe(found.groups.length);
      expect(found.home.startsWith('/')).toBe(true);
      expect(found.home).not.toMatch(/\p{Cc}/u);
    }),
    { numRuns: 20_000 },
  );
});

test('a number is that number, whatever the files say', () => {
  const id = fc.integer({ min: 0, max: LARGEST_ID });
  fc.assert(
    fc.property(id, id, file, file, (uid, gid, passwd, group) => {
      const named = `${uid}:x:0:0::/:/bin/sh\n${passwd}`;
      expect(resolveUser(`${uid}:${gid}`, named, `${gid}:x:0:\n${group}`)).toMatchObject({ uid, gid, groups: [gid] });
      expect(resolveUser(String(uid), named, group).uid).toBe(uid);
    }),
    { numRuns: 5000 },
  );
});

test('a user name is never root unless the files say so', () => {
  fc.assert(
    fc.property(spec, file, file, (user, passwd, group) => {
      const found = attempt(user, passwd, group);
      const name = user.split(':')[0] ?? '';
      if (found?.uid !== 0 || name === '' || /^0+$/.test(name)) return;
      expect(passwd.split('\n').some((row) => row.startsWith(`${name}:`) && /^0+$/.test(row.split(':')[2] ?? ''))).toBe(
        true,
      );
    }),
    { numRuns: 10_000 },
  );
});

function attempt(user: string, passwd: string, group: string): Credentials | undefined {
  try {
    return resolveUser(user, passwd, group);
  } catch (error) {
    expect(isMinirtError(error, 'image.invalid')).toBe(true);
    return undefined;
  }
}
