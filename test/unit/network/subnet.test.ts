import { describe, expect, test } from 'vitest';
import type { Subnet } from '../../../src/network/subnet.ts';
import { addressIn, chooseSubnet, formatSubnet, overlaps, parseSubnet } from '../../../src/network/subnet.ts';

function subnet(text: string): Subnet {
  const parsed = parseSubnet(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

describe('parseSubnet', () => {
  test.each([
    ['10.88.3.7/24', '10.88.3.0/24'],
    ['255.255.255.255', '255.255.255.255/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.168.129.1/17', '192.168.128.0/17'],
  ])('%s is in %s', (text, expected) => {
    expect(formatSubnet(subnet(text))).toBe(expected);
  });

  test.each(['', '10.0.0', '10.0.0.0/33', '256.0.0.1', 'fd00::/8', '10.0.0.0/x', ' 10.0.0.1'])('refuses %j', (text) => {
    expect(parseSubnet(text)).toBeUndefined();
  });
});

test.each([
  ['10.0.0.0/8', '10.88.0.0/24', true],
  ['10.88.0.0/24', '10.88.1.0/24', false],
  ['10.88.0.255/32', '10.88.0.0/24', true],
  ['128.0.0.0/1', '10.88.0.0/24', false],
])('%s and %s overlap: %j', (a, b, expected) => {
  expect(overlaps(subnet(a), subnet(b))).toBe(expected);
  expect(overlaps(subnet(b), subnet(a))).toBe(expected);
});

describe('chooseSubnet', () => {
  const pool = subnet('10.88.0.0/16');

  test.each([
    [[], '10.88.0.0/24'],
    [['10.88.0.1/32'], '10.88.1.0/24'],
    [['10.88.0.0/23', '10.88.2.9/32', '192.168.0.0/16'], '10.88.3.0/24'],
    [['10.0.0.0/8'], undefined],
  ])('beside %j takes %s', (taken, expected) => {
    const found = chooseSubnet(pool, taken.map(subnet));
    expect(found && formatSubnet(found)).toBe(expected);
  });

  test('takes the last one before it gives up', () => {
    const taken = Array.from({ length: 255 }, (_, index) => subnet(`10.88.${index}.0/24`));
    expect(chooseSubnet(pool, taken)).toEqual(subnet('10.88.255.0/24'));
    expect(chooseSubnet(pool, [...taken, subnet('10.88.255.0/24')])).toBeUndefined();
  });

  test('gives the first address to the bridge', () => {
    expect(addressIn(subnet('10.88.255.0/24'), 1)).toBe('10.88.255.1');
  });
});
