import { describe, expect, test } from 'vitest';
import { LABEL, only, pod, podWith, problems, withoutPlace } from './sketch.ts';

const IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SEARCH =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

const found = (...lines: readonly string[]): readonly string[] => problems(pod([], lines)).map(withoutPlace);

describe('names of a pod', () => {
  test.each<[string, string[], string[]]>([
    ['a subdomain with a dot', ['subdomain: a.b'], [`spec.subdomain: Invalid value: "a.b": ${LABEL}`]],
    [
      'an override in capitals',
      ['hostnameOverride: WWW'],
      [`spec.hostnameOverride: Invalid value: "WWW": ${SUBDOMAIN}`],
    ],
    [
      'an override that the kernel cannot hold',
      [`hostnameOverride: ${'a'.repeat(65)}`],
      [`spec.hostnameOverride: Invalid value: "${'a'.repeat(65)}": must be no more than 64 characters`],
    ],
    [
      'an override and the full name',
      ['hostnameOverride: a.b', 'setHostnameAsFQDN: true'],
      ['spec.hostnameOverride: Forbidden: may not be set when `setHostnameAsFQDN` is true'],
    ],
    [
      'an alias without an address',
      ['hostAliases: [{hostnames: [a]}]'],
      [`spec.hostAliases[0].ip: Invalid value: "": ${IP}`],
    ],
    [
      'an alias of no address, and names that are none',
      ['hostAliases: [{ip: 1.2.3, hostnames: [ok, A]}]'],
      [
        `spec.hostAliases[0].ip: Invalid value: "1.2.3": ${IP}`,
        `spec.hostAliases[0].hostnames[1]: Invalid value: "A": ${SUBDOMAIN}`,
      ],
    ],
  ])('%s', (_, lines, expected) => {
    expect(found(...lines)).toEqual(expected);
  });

  test.each([
    ['a subdomain', 'subdomain: web\n  hostname: h', 'h', 'web.default.svc.cluster.local'],
    ['an override has no domain', 'subdomain: web\n  hostnameOverride: www.example.com', 'www.example.com', ''],
    ['neither', 'restartPolicy: Never', 'p', ''],
  ])('%s', (_, lines, hostname, domain) => {
    const built = only(podWith([`stdin: false\n  ${lines}`]));
    expect(built).toMatchObject({ hostname, network: { domain } });
  });
});

describe('dnsPolicy and dnsConfig', () => {
  test.each<[string, string[], string[]]>([
    [
      'an unknown policy',
      ['dnsPolicy: Cluster'],
      [
        'spec.dnsPolicy: Unsupported value: "Cluster": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"',
      ],
    ],
    [
      'None, and nothing else',
      ['dnsPolicy: None'],
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'None without a server',
      ['dnsPolicy: None', 'dnsConfig: {searches: [a]}'],
      ['spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None'],
    ],
    [
      'a server by name',
      ['dnsConfig: {nameservers: [dns.example]}'],
      [`spec.dnsConfig.nameservers[0]: Invalid value: "dns.example": ${IP}`],
    ],
    [
      'four servers',
      ['dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}'],
      [
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
      ],
    ],
    [
      'a domain that is none',
      ['dnsConfig: {searches: [., _tcp.example., a_b, -x]}'],
      [`spec.dnsConfig.searches[3]: Invalid value: "-x": ${SEARCH}`],
    ],
    [
      'an option without a name',
      ['dnsConfig: {options: [{name: ndots, value: "2"}, {value: "1"}]}'],
      ['spec.dnsConfig.options[1]: Required value: must not be empty'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(found(...lines)).toEqual(expected);
  });

  test('a search list that is too long', () => {
    const searches = Array.from({ length: 33 }, (_, i) => `${'x'.repeat(61)}${i}`);
    const [many, long, ...more] = found(`dnsConfig: {searches: [${searches.join(', ')}]}`);
    expect(more).toEqual([]);
    expect([many, long].map((one) => one?.split(']: ').at(-1))).toEqual([
      expect.stringMatching(/^spec\.dnsConfig\.searches: Invalid value: \[/),
      expect.stringMatching(/^spec\.dnsConfig\.searches: Invalid value: \[/),
    ]);
  });
});

describe('ports of the host', () => {
  const ports = (...of: readonly string[]): string => `ports: [${of.join(', ')}]`;
  const two = (first: string, second: string): readonly string[] =>
    problems(pod([ports(first)], ['- name: d', '  image: i', `  ${ports(second)}`])).map(withoutPlace);

  test.each<[string, string, string, string[]]>([
    [
      'are each given once',
      '{containerPort: 1, hostPort: 8080}',
      '{containerPort: 2, hostPort: 8080}',
      ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//8080"'],
    ],
    [
      'may be given once for each protocol',
      '{containerPort: 1, hostPort: 8080}',
      '{containerPort: 1, hostPort: 8080, protocol: UDP}',
      [],
    ],
    [
      'may be given once for each address',
      '{containerPort: 1, hostPort: 8080, hostIP: 127.0.0.1}',
      '{containerPort: 1, hostPort: 8080, hostIP: 127.0.0.2}',
      [],
    ],
    [
      'are on an address',
      '{containerPort: 1, hostPort: 8080, hostIP: localhost}',
      '{containerPort: 1}',
      [`spec.containers[0].ports[0].hostIP: Invalid value: "localhost": ${IP}`],
    ],
  ])('%s', (_, first, second, expected) => {
    expect(two(first, second)).toEqual(expected);
  });

  test('are the container’s own on the network of the host', () => {
    const port = (text: string): readonly string[] =>
      problems(pod([ports(text)], ['hostNetwork: true'])).map(withoutPlace);
    expect(port('{containerPort: 80, hostPort: 80}')).toEqual([]);
    expect(port('{containerPort: 80, hostPort: 81}')).toEqual([
      'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
    ]);
    expect(port('{containerPort: 80}, {containerPort: 80, name: again}')).toEqual([
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
    ]);
    const [built] = only(podWith([ports('{containerPort: 80}'), 'stdin: false\n  hostNetwork: true'])).containers;
    expect(built?.ports).toEqual([{ containerPort: 80, hostIP: '', hostPort: 80, name: undefined, protocol: 'TCP' }]);
  });
});
