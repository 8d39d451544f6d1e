import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hostResolver } from '../../src/network/host-resolver.ts';
import { formatResolver } from '../../src/network/resolver.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();
const folder = mkdtempSync('/tmp/mrt-res-');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What a shell line prints in a pod. */
async function printed(line: string, spec: object = {}, container: object = {}): Promise<string> {
  const pod = await pods.start([{ line, ...container }], spec);
  await pod.ended();
  return pod.log();
}

const hosts = (last: string): string => `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
${last}`;

describe('what a pod is called', () => {
  test('is its hostname, in the kernel, the environment and the files', async () => {
    const text = await printed('hostname; echo $HOSTNAME; cat /etc/hostname; cat /etc/hosts', { hostname: 'web' });
    const address = /10\.88\.\d+\.\d+/.exec(text)?.[0] ?? '';
    expect(text).toBe(`web\nweb\nweb\n${hosts(`${address}\tweb\n`)}`);
  });

  test('has the domain in /etc/hosts, and elsewhere where the pod asks for it', async () => {
    const line = 'hostname; echo $HOSTNAME; cat /etc/hostname; tail -n 1 /etc/hosts | cut -f 2-';
    const full = 'h.sub.default.svc.cluster.local';
    const named = { hostname: 'h', subdomain: 'sub' };
    expect(await printed(line, named)).toBe(`h\nh\nh\n${full}\th\n`);
    expect(await printed(line, { ...named, setHostnameAsFQDN: true })).toBe(`${full}\n${full}\n${full}\n${full}\th\n`);
  });

  test('is what overrides it', async () => {
    const spec = { hostname: 'h', subdomain: 'sub', hostnameOverride: 'www.example.com' };
    const name = 'www.example.com';
    expect(await printed('hostname; tail -n 1 /etc/hosts | cut -f 2-', spec)).toBe(`${name}\n${name}\n`);
  });

  test('is refused by the sandbox in the words of a kubelet when it is too long', async () => {
    const pod = await pods.start([{ line: 'true' }], {
      hostname: 'h'.repeat(50),
      subdomain: 'sub',
      setHostnameAsFQDN: true,
    });
    await expect.poll(() => pod.journal()).toContain('FailedCreatePodSandBox');
    expect(pod.journal()).toContain(
      'Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster domain',
    );
    await pod.delete();
  });
});

test('aliases stand at the end of /etc/hosts', async () => {
  const hostAliases = [
    { ip: '1.2.3.4', hostnames: ['a', 'b.example'] },
    { ip: '5.6.7.8', hostnames: ['c'] },
  ];
  const text = await printed('tail -n 4 /etc/hosts', { hostAliases });
  expect(text).toBe('\n# Entries added by HostAliases.\n1.2.3.4\ta\tb.example\n5.6.7.8\tc\n');
});

test('files of the pod can be read by any user of it, and written by its root', async () => {
  const text = await printed(
    'stat -c "%a %u" /etc/hosts /etc/resolv.conf /etc/hostname; echo "9.9.9.9 x" >>/etc/hosts',
  );
  expect(text).toBe('644 0\n644 0\n644 0\n');
});

describe('/etc/resolv.conf', () => {
  const dnsConfig = {
    nameservers: ['192.0.2.53'],
    searches: ['example.', 'a.example'],
    options: [{ name: 'ndots', value: '3' }, { name: 'edns0' }],
  };

  test('has nothing but dnsConfig where the policy is None', async () => {
    expect(await printed('cat /etc/resolv.conf', { dnsPolicy: 'None', dnsConfig })).toBe(
      'search example. a.example\nnameserver 192.0.2.53\noptions ndots:3 edns0\n',
    );
  });

  test.each(['Default', 'ClusterFirst', 'ClusterFirstWithHostNet'])(
    'is the host’s where it is %s',
    async (dnsPolicy) => {
      const { resolver } = await hostResolver();
      const text = await printed('cat /etc/resolv.conf', { dnsPolicy });
      expect(text).toBe(formatResolver({ ...resolver, servers: resolver.servers.slice(0, 3) }));
    },
  );
});

describe('the resolver of the host', () => {
  const files = { own: join(folder, 'own'), upstream: join(folder, 'upstream') };

  test.each([
    ['its own', 'nameserver 10.0.0.1\n', 'nameserver 10.0.0.2\n', ['10.0.0.1'], []],
    ['the one behind a stub', 'nameserver 127.0.0.53\noptions edns0\n', 'nameserver 10.0.0.2\n', ['10.0.0.2'], []],
    ['a stub behind which nothing is known', 'nameserver 127.0.0.53\n', '', ['127.0.0.53'], ['127.0.0.53']],
    ['a server on the loopback', 'nameserver 10.0.0.1\nnameserver ::1\n', '', ['10.0.0.1', '::1'], ['::1']],
  ])('is %s', async (_, own, upstream, servers, unreachable) => {
    writeFileSync(files.own, own);
    writeFileSync(files.upstream, upstream);
    expect(await hostResolver(files)).toMatchObject({ resolver: { servers }, unreachable });
  });

  test('may be missing', async () => {
    const nowhere = join(folder, 'nowhere');
    expect(await hostResolver({ own: nowhere, upstream: nowhere })).toMatchObject({ resolver: { servers: [] } });
  });
});

test('anybody in a pod may listen on any port, and ping', async () => {
  const names = ['net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ping_group_range'];
  const before = names.map((name) => readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'));
  const paths = names.map((name) => `/proc/sys/${name.replaceAll('.', '/')}`).join(' ');
  expect(await printed(`cat ${paths}`)).toBe('0\n0\t2147483647\n');
  expect(names.map((name) => readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'))).toEqual(before);
});
