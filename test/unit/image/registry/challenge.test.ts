import { expect, test } from 'vitest';
import { parseChallenges } from '../../../../src/image/registry/challenge.ts';

const parsed = (header: string | readonly string[] | undefined): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test.each<[string, string | readonly string[] | undefined, unknown]>([
  ['none', undefined, []],
  ['basic', 'Basic realm="r"', [['basic', { realm: 'r' }]]],
  [
    'bearer',
    'Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"',
    [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:x:pull,push' }]],
  ],
  [
    'blanks, escapes and bare words',
    'BEARER  Realm = "a\\"b" , service=s',
    [['bearer', { realm: 'a"b', service: 's' }]],
  ],
  [
    'several in one value',
    'Basic realm="a", Bearer realm="b"',
    [
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b' }],
    ],
  ],
  [
    'several values',
    ['Negotiate', 'Basic realm=x'],
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  ['what is cut off', 'Bearer realm="https://a', [['bearer', {}]]],
  ['noise', ',,;"', []],
])('reads %s', (_what, header, expected) => {
  expect(parsed(header)).toEqual(expected);
});
