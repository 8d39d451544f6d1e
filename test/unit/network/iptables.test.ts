import { describe, expect, test } from 'vitest';
import { bridgeRules } from '../../../src/network/firewall.ts';
import { type PortMapping, sendsAway } from '../../../src/network/host-ports.ts';
import { splitWords } from '../../../src/network/iptables.ts';
import { addressPool } from '../../../src/network/pool.ts';
import { formatSubnet } from '../../../src/network/subnet.ts';

test.each([
  ['-A POSTROUTING -j MASQUERADE', ['-A', 'POSTROUTING', '-j', 'MASQUERADE']],
  ['-A F -m comment --comment "two words" -j X', ['-A', 'F', '-m', 'comment', '--comment', 'two words', '-j', 'X']],
  [String.raw`--comment "id: \"a\""`, ['--comment', 'id: "a"']],
  ['', []],
])('%j has these words', (line, expected) => {
  expect(splitWords(line)).toEqual(expected);
});

test('every rule of a bridge bears its name', () => {
  const rules = bridgeRules('mrt-1', { base: 0x0a580000, length: 24 });
  expect(rules.map(({ table, chain, words }) => `${table} ${chain} ${words.join(' ')}`)).toEqual([
    'nat POSTROUTING -s 10.88.0.0/24 ! -d 224.0.0.0/4 ! -o mrt-1 -m comment --comment minirt:mrt-1 -j MASQUERADE',
    'filter FORWARD -i mrt-1 -m comment --comment minirt:mrt-1 -j ACCEPT',
    'filter FORWARD -o mrt-1 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -m comment --comment minirt:mrt-1 -j ACCEPT',
  ]);
});

describe('a NAT rule takes a port of the host', () => {
  const port = (changes: Partial<PortMapping> = {}): PortMapping => {
    return { hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '', ...changes };
  };
  const docker = '! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80';
  const portmap = '-d 192.0.2.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80';

  test.each([
    ['of its number', docker, port(), true],
    ['of another number', docker, port({ hostPort: 8081 }), false],
    ['of another protocol', docker, port({ protocol: 'udp' }), false],
    ['on one address of all', docker, port({ hostIP: '127.0.0.1' }), true],
    ['on all addresses where one is taken', portmap, port(), true],
    ['on its address', portmap, port({ hostIP: '192.0.2.1' }), true],
    ['on another address', portmap, port({ hostIP: '192.0.2.2' }), false],
    ['without a port', '-p tcp -j DNAT --to-destination 10.0.0.1', port(), false],
  ])('%s', (_, line, mapping, expected) => {
    expect(sendsAway({ table: 'nat', chain: 'X', words: splitWords(line) }, mapping)).toBe(expected);
  });
});

describe('the pool of addresses', () => {
  test.each([
    [undefined, '10.88.0.0/16'],
    ['', '10.88.0.0/16'],
    ['172.29.0.0/20', '172.29.0.0/20'],
  ])('of %j is %s', (text, expected) => {
    expect(formatSubnet(addressPool({ MINIRT_POD_CIDR: text }))).toBe(expected);
  });

  test.each(['10.0.0.0/25', 'fd00::/64', 'here'])('is not %s', (text) => {
    expect(() => addressPool({ MINIRT_POD_CIDR: text })).toThrow(`MINIRT_POD_CIDR=${text}: not an IPv4 range`);
  });
});
