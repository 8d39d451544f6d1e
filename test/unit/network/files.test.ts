import { describe, expect, test } from 'vitest';
import { hostNetworkHostsFile, hostsFile } from '../../../src/network/files.ts';

const head = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

describe('hosts file', () => {
  test('is the kubelet’s', () => {
    expect(hostsFile({ ip: '10.88.0.2', hostname: 'web' })).toBe(`${head}10.88.0.2\tweb\n`);
  });

  test('has the full name before the short one where there is a domain', () => {
    const text = hostsFile({ ip: '10.88.0.2', hostname: 'web', domain: 'sub.default.svc.cluster.local' });
    expect(text).toBe(`${head}10.88.0.2\tweb.sub.default.svc.cluster.local\tweb\n`);
  });

  test('ends with the aliases', () => {
    const aliases = [
      { ip: '1.2.3.4', hostnames: ['a', 'b.example'] },
      { ip: '::5', hostnames: ['c'] },
    ];
    const tail = '\n# Entries added by HostAliases.\n1.2.3.4\ta\tb.example\n::5\tc\n';
    expect(hostsFile({ ip: '10.88.0.2', hostname: 'web', aliases })).toBe(`${head}10.88.0.2\tweb\n${tail}`);
    expect(hostNetworkHostsFile('127.0.0.1 me\n', aliases)).toBe(
      `# Kubernetes-managed hosts file (host network).\n127.0.0.1 me\n${tail}`,
    );
  });
});
