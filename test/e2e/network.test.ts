import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { podPaths } from '../../src/state/paths.ts';
import { networkPaths } from '../../src/network/paths.ts';
import { namesIn } from '../../src/doctor/known.ts';
import { type Cli, eventually, useCli } from '../support/cli.ts';
import { FakeHost, HOST, OUTSIDE } from '../support/fake-host.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const cli = useCli('busybox');
expectNoLeaks(() => cli().roots);

const host = new FakeHost();
// As Docker leaves it, and rules that somebody else has.
host.run('iptables', '-P', 'FORWARD', 'DROP');
host.run('iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', '25', '-j', 'REJECT');
host.run(
  'iptables',
  '-t',
  'nat',
  '-A',
  'PREROUTING',
  '-p',
  'tcp',
  '--dport',
  '7000',
  '-j',
  'DNAT',
  '--to',
  '10.9.9.9:70',
);
const before = { rules: host.rules(), links: host.links() };

beforeAll(() => {
  cli().enter(host.path);
});
afterEach(async () => {
  await host.quiet();
  await cli().run('delete', 'pods', '--all', '--now');
  expect({ rules: host.rules(), links: host.links() }).toEqual(before);
  expect(addresses(cli())).toEqual([]);
});
afterAll(() => host.remove());

/** Addresses that are given out on the default network. */
function addresses({ roots }: Cli): readonly string[] {
  return namesIn(`${networkPaths(roots.state).ipam}/default`).filter((name) => /^[\d.]+$/.test(name));
}

/** A pod of one shell line. */
function manifest(name: string, line: string, { container = {}, ...spec }: Record<string, unknown> = {}): string {
  const c = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line] };
  const containers = [{ ...c, ...(container as object) }];
  return cli().manifest(name, { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers, ...spec });
}

/** Serves a line at port 80 for ever, and is ready when it does. */
const server = (line: string): string => `while :; do echo ${line} | nc -l -p 80; done`;
const published = (...ports: readonly object[]) => ({ container: { ports } });

async function started(name: string, line: string, spec: Record<string, unknown> = {}): Promise<void> {
  expect(await cli().run('run', '-d', manifest(name, line, spec))).toMatchObject({ code: 0 });
}

const heard = (from: 'here' | 'beyond', address: string, port: number): Promise<string> =>
  eventually(() => {
    const words = ['busybox', 'nc', '-w', '2', address, String(port)];
    const text = from === 'here' ? host.run(...words) : host.beyond(...words);
    expect(text).not.toBe('');
    return text;
  });

describe('beside a firewall that drops what is forwarded', () => {
  test('a pod reaches out in the name of its host, and is answered', async () => {
    await host.serve('beyond', 8000, 'hello from beyond');
    const { code, stdout } = await cli().run('run', '-q', manifest('out', `nc ${OUTSIDE} 8000`));
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from beyond\n' });
  });

  test('two pods talk to each other', async () => {
    await started('one', server('hello neighbour'));
    const { podIP } = (await cli().pod('one')).status as unknown as { podIP: string };
    const { stdout } = await cli().run('run', '-q', manifest('two', `until nc ${podIP} 80; do sleep 0.1; done`));
    expect(stdout).toBe('hello neighbour\n');
  });

  test('a port of the host leads to the pod, from beyond, from the host, and from the pod itself', async () => {
    await started('web', server('hello'), published({ containerPort: 80, hostPort: 8080 }));
    expect(await heard('beyond', HOST, 8080)).toBe('hello\n');
    expect(await heard('here', '127.0.0.1', 8080)).toBe('hello\n');
    expect(await heard('here', HOST, 8080)).toBe('hello\n');
    const itself = await cli().run('exec', 'web', '--', 'nc', '-w', '2', HOST, '8080');
    expect(itself.stdout).toBe('hello\n');
  });

  test('an address of the host may be chosen, and UDP', async () => {
    await started('local', server('local'), {
      ...published(
        { containerPort: 80, hostPort: 8081, hostIP: '127.0.0.1' },
        { containerPort: 53, hostPort: 5353, protocol: 'UDP' },
      ),
    });
    expect(await heard('here', '127.0.0.1', 8081)).toBe('local\n');
    expect(() => host.beyond('busybox', 'nc', '-w', '1', HOST, '8081')).toThrow();
    const { uid = '' } = (await cli().pod('local')).metadata;
    await host.serveUdp(podPaths(cli().roots, uid).namespaces + '/net', 53, 'answer');
    const ask = `const s = require('dgram').createSocket('udp4');
      s.on('message', (text) => { console.log(String(text)); s.close(); }).send('question', 5353, '${HOST}');
      setTimeout(() => process.exit(1), 2000).unref();`;
    await eventually(() => {
      expect(host.beyond(process.execPath, '-e', ask)).toContain('answer');
    });
  });
});

describe('a port of the host that is taken', () => {
  const failure = async (name: string): Promise<string> => {
    const { stdout } = await eventually(async () => {
      const events = await cli().run('events', name);
      expect(events.stdout).toContain('FailedCreatePodSandBox');
      return events;
    });
    return stdout;
  };
  const wants = (hostPort: number) => published({ containerPort: 80, hostPort });

  test('by another pod is refused, and given when that one has gone', async () => {
    await started('first', server('first'), wants(8080));
    expect(await cli().run('create', '-f', manifest('second', server('second'), wants(8080)))).toMatchObject({
      code: 0,
    });
    expect(await failure('second')).toContain(
      'Failed to create pod sandbox: publish host port: 8080/TCP: it is taken: pod default/first has it',
    );
    expect(addresses(cli())).toHaveLength(1);
    await cli().run('delete', 'pod', 'first', '--now');
    expect(await heard('beyond', HOST, 8080)).toBe('second\n');
  });

  test('by a process of the host is refused', async () => {
    await host.serve('here', 9000, 'mine');
    expect(await cli().run('create', '-f', manifest('late', server('late'), wants(9000)))).toMatchObject({ code: 0 });
    expect(await failure('late')).toContain('9000/TCP: it is taken: a process of this host listens on it');
    expect(await heard('beyond', HOST, 9000)).toBe('mine\n');
  });

  test('by a rule of somebody else is refused', async () => {
    expect(await cli().run('create', '-f', manifest('late', server('late'), wants(7000)))).toMatchObject({ code: 0 });
    expect(await failure('late')).toContain('7000/TCP: it is taken: a NAT rule of this host sends it elsewhere');
  });
});

test('a hundred pods come and go, and nothing of them is left', { timeout: 360_000 }, async () => {
  const names = Array.from({ length: 100 }, (_, i) => `p${i}`);
  const documents = names.map((name, i) => {
    const file = manifest(name, 'sleep 1000', published({ containerPort: 80, hostPort: 10_000 + i }));
    return readFileSync(file, 'utf8');
  });
  const all = cli().file('hundred.yaml', documents.join('\n---\n'));
  expect(await cli().run('create', '-f', all)).toMatchObject({ code: 0 });
  await eventually(async () => {
    const { stdout } = await cli().run('get', 'pods', '-o', 'jsonpath={.items[*].status.phase}');
    expect(stdout.match(/Running/g) ?? []).toHaveLength(100);
  }, 240_000);
  expect(addresses(cli())).toHaveLength(100);
  // Compared by afterEach.
  expect(await cli().run('delete', 'pods', '--all', '--now')).toMatchObject({ code: 0 });
});
