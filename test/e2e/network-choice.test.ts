import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Result, eventually, useCli } from '../support/cli.ts';
import { FakeHost, HOST } from '../support/fake-host.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const cli = useCli('busybox');
expectNoLeaks(() => cli().roots);

const folder = mkdtempSync('/tmp/mrt-cni-');
const [plugins, networks, said] = ['bin', 'net.d', 'said'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const host = new FakeHost();

/** A plugin that notes what it is asked, and does as it is told. */
const witness = `#!/bin/sh
input=$(cat)
printf '{"command":"%s","netns":"%s","input":%s}\\n' "$CNI_COMMAND" "$CNI_NETNS" "$input" >>${said}
[ -e ${folder}/fail-$CNI_COMMAND ] && { echo '{"code":999,"msg":"the switch is off","details":"ask the porter"}'; exit 1; }
[ "$CNI_COMMAND" = ADD ] && ${process.execPath} -e 'console.log(JSON.stringify(JSON.parse(process.argv[1]).prevResult))' "$input"
exit 0
`;
const witnessed = (): readonly { command: string; netns: string; input: Record<string, unknown> }[] =>
  readFileSync(said, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReturnType<typeof witnessed>[number]);

const ptp = { type: 'ptp', ipam: { type: 'host-local', dataDir: join(folder, 'ipam'), subnet: '10.99.7.0/24' } };

beforeAll(() => {
  for (const dir of [plugins, networks]) mkdirSync(dir);
  writeFileSync(join(plugins, 'witness'), witness);
  chmodSync(join(plugins, 'witness'), 0o755);
  const write = (file: string, config: object): void => {
    writeFileSync(join(networks, file), JSON.stringify(config));
  };
  const second = { type: 'witness', capabilities: { portMappings: true, bandwidth: true } };
  write('10-lab.conflist', { cniVersion: '1.0.0', name: 'lab', plugins: [ptp, second] });
  write('20-old.conf', { cniVersion: '0.4.0', name: 'old', ...ptp });
  write('30-half.conflist', { cniVersion: '1.0.0', name: 'half', plugins: [ptp, { type: 'nobody-has-it' }] });
  const small = { ...ptp, ipam: { ...ptp.ipam, subnet: '10.99.9.0/30' } };
  write('35-small.conflist', { cniVersion: '1.0.0', name: 'small', plugins: [small] });
  write('40-new.conflist', { cniVersion: '9.0.0', name: 'new', plugins: [ptp] });
  cli().enter(host.path);
});
afterEach(async () => {
  await call('delete', 'pods', '--all', '-A', '--now');
  for (const file of ['said', 'fail-ADD', 'fail-CHECK', 'fail-DEL']) rmSync(join(folder, file), { force: true });
  expect(host.links().toSorted()).toEqual(['lo', 'up0']);
});
afterAll(async () => {
  await host.remove();
  rmSync(folder, { recursive: true });
});

function call(...args: readonly string[]): Promise<Result> {
  return cli().start(args, { env: { CNI_PATH: plugins, NETCONFPATH: networks } }).done;
}

function manifest(name: string, line: string, spec: object = {}, container: object = {}): string {
  const c = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line], ...container };
  return cli().manifest(name, { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [c], ...spec });
}

const failure = (name: string): Promise<string> =>
  eventually(async () => {
    const { stdout } = await call('events', name);
    expect(stdout).toContain('FailedCreatePodSandBox');
    return stdout;
  });

describe('a network of /etc/cni/net.d', () => {
  test('attaches, is asked, and detaches with all that the specification gives to its plugins', async () => {
    const ports = [{ containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' }];
    expect(await call('run', '-d', '--network', 'lab', manifest('web', 'sleep 1000', {}, { ports }))).toMatchObject({
      code: 0,
    });
    const { podIP } = (await cli().pod('web')).status as unknown as { podIP: string };
    expect(podIP).toMatch(/^10\.99\.7\.\d+$/);
    expect(await call('doctor')).toMatchObject({
      stdout: expect.stringMatching(/attached pods: 1, each as/) as string,
    });
    await call('delete', 'pod', 'web', '--now');
    const [add, check, del, ...more] = witnessed();
    expect(more).toEqual([]);
    const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '127.0.0.1' }];
    const told = { cniVersion: '1.0.0', name: 'lab', type: 'witness', runtimeConfig: { portMappings } };
    const result = { ips: [{ address: `${podIP}/24` }], interfaces: [{}, { name: 'eth0' }] };
    for (const one of [add, check, del]) expect(one?.input).toMatchObject({ ...told, prevResult: result });
    expect(add?.input).not.toHaveProperty('capabilities');
    expect([add, check, del].map((one) => one?.command)).toEqual(['ADD', 'CHECK', 'DEL']);
  });

  test('may be a single plugin of an older version', async () => {
    const { code, stdout } = await call('run', '-q', '--network', 'old', manifest('old', 'hostname -i'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^10\.99\.7\.\d+\n$/) as string });
  });

  test('that is not there is refused with the names of those that are', async () => {
    expect(await call('run', '--network', 'lap', manifest('p', 'true'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /network\.failed.*find network: lap: not in .* \(there are: lab, old, half, small, new\)[^]*is "lab" meant/,
      ) as string,
    });
    expect(await call('run', '--network', 'new', manifest('p', 'true'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cniVersion "9.0.0" is none of') as string,
    });
  });

  test('cannot be asked for by a pod on the network of the host', async () => {
    expect(await call('run', '--network', 'lab', manifest('p', 'true', { hostNetwork: true }))).toMatchObject({
      code: 2,
    });
  });
});

describe('pods of one network that was chosen', () => {
  const hosts = async (pod: string, namespace = 'default'): Promise<readonly string[]> => {
    const { stdout } = await call('exec', pod, '-n', namespace, '--', 'cat', '/etc/hosts');
    return stdout
      .split('\n')
      .filter((line) => /^10\.99\.7\./.test(line))
      .toSorted();
  };
  const sorted = (...lines: readonly string[]): readonly string[] => lines.toSorted();
  const start = async (name: string, namespace = 'default'): Promise<string> => {
    const file = manifest(name, 'echo "10.99.7.250 mine" >>/etc/hosts; sleep 1000');
    expect(await call('run', '-d', '-n', namespace, '--network', 'lab', file)).toMatchObject({ code: 0 });
    const pod = JSON.parse((await call('get', 'pod', name, '-n', namespace, '-o', 'json')).stdout) as {
      status: { podIP: string };
    };
    return pod.status.podIP;
  };

  test('know each other by name, those that come later and as long as they are there', async () => {
    const a = await start('a');
    const b = await start('b');
    const c = await start('c', 'other');
    await eventually(async () => {
      expect(await hosts('a')).toEqual(sorted('10.99.7.250 mine', `${a}\ta`, `${b}\tb\tb.default`, `${c}\tc.other`));
    });
    expect(await hosts('c', 'other')).toEqual(
      sorted('10.99.7.250 mine', `${c}\tc`, `${a}\ta.default`, `${b}\tb.default`),
    );
    expect(await call('exec', 'a', '--', 'ping', '-c', '1', '-W', '5', 'b')).toMatchObject({ code: 0 });
    expect(await call('delete', 'pod', 'b', '--now')).toMatchObject({ code: 0 });
    expect(await hosts('a')).toEqual(sorted('10.99.7.250 mine', `${a}\ta`, `${c}\tc.other`));
    expect(await call('delete', 'pod', 'c', '-n', 'other', '--now')).toMatchObject({ code: 0 });
    expect(await hosts('a')).toEqual(sorted('10.99.7.250 mine', `${a}\ta`));
  });

  test('are limited as their annotations say', async () => {
    const c = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['sleep', '1000'] };
    const annotations = { 'kubernetes.io/ingress-bandwidth': '1M', 'kubernetes.io/egress-bandwidth': '2500k' };
    const file = cli().manifest('slow', { terminationGracePeriodSeconds: 0, containers: [c] }, { annotations });
    expect(await call('run', '-d', '--network', 'lab', file)).toMatchObject({ code: 0 });
    expect(witnessed().find(({ command }) => command === 'ADD')?.input).toMatchObject({
      runtimeConfig: {
        bandwidth: { ingressRate: 1e6, ingressBurst: 2 ** 32 - 1, egressRate: 2.5e6, egressBurst: 2 ** 32 - 1 },
      },
    });
  });
});

test('a network whose addresses are used up keeps a pod waiting until one is free', async () => {
  const start = async (name: string): Promise<void> => {
    const file = manifest(name, 'sleep 1000');
    expect(await call('create', '--network', 'small', '-f', file)).toMatchObject({ code: 0 });
  };
  const running = (name: string): Promise<void> =>
    eventually(async () => {
      expect((await cli().pod(name)).status.phase).toBe('Running');
    });
  await start('first');
  await running('first');
  await start('second');
  expect(await failure('second')).toContain('no IP addresses available in range set: 10.99.9.1-10.99.9.2');
  expect((await cli().pod('second')).status.phase).toBe('Pending');
  expect(await call('delete', 'pod', 'first', '--now')).toMatchObject({ code: 0 });
  await running('second');
});

describe('a plugin', () => {
  test('that is missing is named, with where to put it', async () => {
    await call('create', '--network', 'half', '-f', manifest('half', 'true'));
    expect(await failure('half')).toMatch(
      /find CNI plugin: nobody-has-it: not in .*\(put it into \/opt\/cni\/bin, or name its folder in CNI_PATH\)/,
    );
  });

  test('that fails is heard in its own words, and what the others did is undone', async () => {
    writeFileSync(join(folder, 'fail-ADD'), '');
    await call('create', '--network', 'lab', '-f', manifest('off', 'true'));
    expect(await failure('off')).toContain('add network lab: witness: the switch is off: ask the porter');
    expect(
      witnessed()
        .map(({ command }) => command)
        .slice(0, 2),
    ).toEqual(['ADD', 'DEL']);
    expect(host.links().toSorted()).toEqual(['lo', 'up0']);
  });

  test('that finds the attachment broken makes doctor say so', async () => {
    expect(await call('run', '-d', '--network', 'lab', manifest('web', 'sleep 1000'))).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'fail-CHECK'), '');
    const { stdout, stderr } = await call('doctor');
    expect(stdout + stderr).toContain('check network lab: witness: the switch is off: ask the porter');
  });

  test('that cannot detach keeps the pod, and the others from nothing', async () => {
    expect(await call('run', '-d', '--network', 'lab', manifest('stuck', 'sleep 1000'))).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'fail-DEL'), '');
    const doomed = cli().start(['delete', 'pod', 'stuck', '--now'], {
      env: { CNI_PATH: plugins, NETCONFPATH: networks },
    });
    await eventually(async () => {
      expect((await call('events', 'stuck')).stdout).toContain(
        'error killing pod: del network lab: witness: the switch is off',
      );
    });
    expect(host.links().toSorted()).toEqual(['lo', 'up0']);
    rmSync(join(folder, 'fail-DEL'));
    expect(await doomed.done).toMatchObject({ code: 0 });
  });
});

describe('the network of the host', () => {
  const line = 'hostname; echo $HOSTNAME; head -n 1 /etc/hosts; ip -o addr show dev up0 | grep -o "inet [0-9.]*"';
  const seen = `${hostname()}\n${hostname()}\n# Kubernetes-managed hosts file (host network).\ninet ${HOST}\n`;

  test('is the pod’s with hostNetwork', async () => {
    expect(await call('run', '-q', manifest('p', line, { hostNetwork: true }))).toMatchObject({
      code: 0,
      stdout: seen,
    });
  });

  test('is the pod’s with --network host, and so is its address', async () => {
    expect(await call('run', '-d', '--network', 'host', manifest('p', 'sleep 1000'))).toMatchObject({ code: 0 });
    const { spec, status } = (await cli().pod('p')) as unknown as Record<'spec' | 'status', Record<string, unknown>>;
    expect(spec).toMatchObject({ hostNetwork: true, nodeName: hostname() });
    expect(status).toMatchObject({ podIP: HOST, hostIP: HOST, hostIPs: [{ ip: HOST }] });
    expect((await call('get', 'pods', '-o', 'wide')).stdout).toMatch(new RegExp(`${HOST}\\s+${hostname()}`));
  });
});

test('on no network a pod has its loopback and nothing else', async () => {
  const line = 'ip -o link | cut -d: -f2; cat /etc/hosts | tail -n 1';
  const { code, stdout } = await call('run', '-q', '--network', 'none', manifest('p', line));
  expect({ code, stdout }).toEqual({ code: 0, stdout: ' lo\nfe00::2\tip6-allrouters\n' });
});

test('the default network takes its addresses from where it is told', async () => {
  const { code, stdout } = await cli().start(['run', '-q', manifest('p', 'hostname -i')], {
    env: { MINIRT_POD_CIDR: '192.0.2.0/23' },
  }).done;
  // The first /24 is the host's own.
  expect({ code, stdout }).toEqual({ code: 0, stdout: '192.0.3.2\n' });
});
