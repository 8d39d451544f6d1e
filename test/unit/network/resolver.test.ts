import { describe, expect, test } from 'vitest';
import {
  type Resolver,
  emptyResolver,
  formatResolver,
  isLoopback,
  parseResolver,
  withExtras,
  withinLimits,
} from '../../../src/network/resolver.ts';

const none = { nameservers: [], searches: [], options: [] };
const resolver = (changes: Partial<Resolver>): Resolver => ({ ...emptyResolver, ...changes });

describe('the file of the node', () => {
  test.each([
    ['an empty one', '', ''],
    ['comments and unknown words', '# c\n; d\nsortlist 1.2.3.4\nnameserver 9.9.9.9 # x\n', 'nameserver 9.9.9.9\n'],
    ['the last search list', 'search a\nsearch b. c .\n', 'search b c .\n'],
    ['the last option of a name', 'options ndots:2 rotate\noptions ndots:5\n', 'options ndots:5 rotate\n'],
    ['a server without an address', 'nameserver\nnameserver 1.1.1.1\n', 'nameserver 1.1.1.1\n'],
    [
      'the order of a runtime',
      'options ndots:2 rotate\nnameserver 1.1.1.1\nsearch a\n',
      'search a\nnameserver 1.1.1.1\noptions ndots:2 rotate\n',
    ],
  ])('is given on: %s', (_, node, expected) => {
    expect(formatResolver(parseResolver(node))).toBe(expected);
  });
});

describe('dnsConfig', () => {
  test('comes after what the policy gives, each once', () => {
    const base = resolver({ servers: ['1.1.1.1'], searches: ['a', 'b'] });
    const extras = { ...none, nameservers: ['2.2.2.2', '1.1.1.1'], searches: ['b', 'c'] };
    expect(withExtras(base, extras)).toEqual({
      servers: ['1.1.1.1', '2.2.2.2'],
      searches: ['a', 'b', 'c'],
      options: [],
    });
  });

  test('has the last word on an option', () => {
    const options = [
      { name: 'ndots', value: '1' },
      { name: 'edns0', value: undefined },
    ];
    const merged = withExtras(resolver({ options: ['ndots:5', 'timeout:3'] }), { ...none, options });
    expect(merged.options).toEqual(['ndots:1', 'timeout:3', 'edns0']);
  });
});

describe('the limits of a resolver', () => {
  test('let through what fits', () => {
    const fits = resolver({ servers: ['1', '2', '3'], searches: ['a'.repeat(253)] });
    expect(withinLimits(fits)).toEqual({ resolver: fits, complaints: [] });
  });

  test('leave three servers', () => {
    const { resolver: cut, complaints } = withinLimits(resolver({ servers: ['1', '2', '3', '4'] }));
    expect(cut.servers).toEqual(['1', '2', '3']);
    expect(complaints).toEqual([
      'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1 2 3',
    ]);
  });

  test.each([
    ['32 search domains', Array.from({ length: 40 }, (_, i) => `d${i}`), 32],
    ['none over 253 characters', ['a', 'b'.repeat(254), 'c'], 2],
    ['2048 characters of them', Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(150)), 13],
  ])('leave %s', (_, searches, left) => {
    const { resolver: cut, complaints } = withinLimits(resolver({ searches }));
    expect(cut.searches).toHaveLength(left);
    expect(cut.searches.join(' ').length).toBeLessThanOrEqual(2048);
    expect(complaints).toEqual([
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${cut.searches.join(' ')}`,
    ]);
  });
});

test.each([
  ['127.0.0.53', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['10.127.0.1', false],
  ['fd00::1', false],
])('%s is on the loopback: %j', (server, expected) => {
  expect(isLoopback(server)).toBe(expected);
});
