import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestHost, until } from '../support/containers.ts';
import { SECOND } from '../../src/base/clock.ts';
import { connectMonitor, readRecords } from '../../src/helper/monitor.ts';

const never = new AbortController().signal;

const host = new TestHost();
beforeAll(() => host.open());
afterAll(async () => {
  await host.close();
});

describe('how it ends', () => {
  test.each([
    ['by itself', 'true', { code: 0 }],
    ['with a code', 'exit 3', { code: 3 }],
    ['with the code of a killed child', "sh -c 'kill -9 $$'; exit $?", { code: 137 }],
  ])('%s', async (_name, script, exit) => {
    const ended = await host.sh(script);
    expect(ended.exit).toMatchObject({ event: 'exited', ...exit });
  });

  test('by a signal from outside', async () => {
    const container = await host.run({ args: ['sleep', '100'] });
    await container.client.signal(9);
    expect(await container.ended()).toMatchObject({ event: 'exited', signal: 9 });
    expect(container.records.map(({ event }) => event)).toEqual(['created', 'started', 'signal', 'exited']);
  });

  test.each([
    ['a missing command', ['/nowhere'], 'ENOENT'],
    ['a command that is not in PATH', ['nowhere'], 'ENOENT'],
    ['a file that is not executable', ['/etc/plain'], 'EACCES'],
    ['a directory', ['/etc'], 'EACCES'],
  ])('%s fails at start, and the monitor ends', async (_name, args, errnoName) => {
    const container = await host.run({ args, created: true });
    await expect(container.client.start()).rejects.toMatchObject({
      code: 'helper.failed',
      details: { stage: 'exec', errnoName },
    });
    expect(await container.ended()).toMatchObject({ event: 'failed', stage: 'exec' });
    expect(readFileSync(join(container.cgroup2, 'cgroup.procs'), 'utf8')).toBe('');
  });

  test('what cannot be set up is told with its stage, and nothing is left', async () => {
    const mounts = [{ kind: 'bind', source: '/nowhere', target: '/mnt', flags: [] }] as const;
    await expect(host.run({ args: ['true'], spec: { mounts } })).rejects.toMatchObject({
      code: 'helper.failed',
      details: { stage: 'mounts', errnoName: 'ENOENT', what: 'bind /nowhere' },
    });
  });
});

describe('two phases', () => {
  test('created is not running: the command waits for start', async () => {
    const container = await host.run({ args: ['sh', '-c', 'echo ran'], created: true });
    expect(container.log()).toEqual([]);
    await container.client.start();
    await container.ended();
    expect(container.output()).toBe('ran\n');
  });

  test('one that was never started can be killed', async () => {
    const container = await host.run({ args: ['true'], created: true });
    await container.client.kill();
    expect(await container.ended()).toMatchObject({ event: 'exited', signal: 9 });
    expect(container.records.map(({ event }) => event)).toEqual(['created', 'signal', 'exited']);
  });

  test('it starts once', async () => {
    const container = await host.run({ args: ['sleep', '100'] });
    await expect(container.client.start()).rejects.toMatchObject({ details: { errnoName: 'EALREADY' } });
    await container.client.kill();
    await container.ended();
  });
});

describe('stop', () => {
  test('sends the signal; whoever obeys is not killed', async () => {
    const container = await host.run({
      args: ['sh', '-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.1; done'],
    });
    await until('the trap is set', () => container.output() === 'up\n');
    await container.client.stop(15, 30n * SECOND);
    expect(await container.ended()).toMatchObject({ code: 7 });
  });

  test('SIGKILL comes within 0.1 s of its moment, by the stamps of the record', async () => {
    const container = await host.run({ args: ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.1; done'] });
    await until('the trap is set', () => container.output() === 'up\n');
    await container.client.stop(15, SECOND / 2n);
    expect(await container.ended()).toMatchObject({ signal: 9 });
    const [stop, deadline] = container.records.filter(({ event }) => event === 'signal');
    const waited = Number((deadline?.t ?? 0n) - (stop?.t ?? 0n)) / 1e9;
    expect(waited).toBeGreaterThan(0.49);
    expect(waited).toBeLessThan(0.6);
  });

  test('a second one only moves the moment earlier, and sends nothing', async () => {
    const container = await host.run({ args: ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.1; done'] });
    await until('the trap is set', () => container.output() === 'up\n');
    await container.client.stop(15, SECOND / 2n);
    await container.client.stop(15, 60n * SECOND);
    expect(await container.ended()).toMatchObject({ signal: 9 });
    const signals = container.records.flatMap((record) => (record.event === 'signal' ? [record.why] : []));
    expect(signals).toEqual(['stop', 'deadline']);
  });
});

describe('the process', () => {
  test("is PID 1 of its own, sees its pod's name, and nobody else", async () => {
    const { out } = await host.sh('echo $$; hostname; ps -o pid= | wc -l');
    expect(out).toMatch(/^1\npod-0\n[23]\n$/);
  });

  test('has 0, 1 and 2 open and nothing else', async () => {
    // 3 is the folder that ls itself reads.
    expect((await host.sh('ls /proc/self/fd')).out).toBe('0\n1\n2\n3\n');
    expect((await host.sh('ls /proc/1/fd; true')).out).toBe('0\n1\n2\n');
  });

  test('has the environment of its spec only', async () => {
    const { out } = await host.sh('env | sort', { process: { env: ['PATH=/bin', 'A=1', 'B=x y'] } });
    expect(out.split('\n').filter((line) => !/^(SHLVL|PWD)=/.test(line))).toEqual(['A=1', 'B=x y', 'PATH=/bin', '']);
  });

  test('has the umask, empty signal mask and default dispositions of a fresh process', async () => {
    const { out } = await host.sh('umask; exec grep -E "Sig(Blk|Ign)" /proc/self/status');
    expect(out).toBe('0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
  });

  test.each([
    ['that exists', '/tmp'],
    ['that is missing', '/made/for/it'],
  ])('starts in the folder %s', async (_name, cwd) => {
    expect((await host.sh('pwd', { process: { cwd } })).out).toBe(`${cwd}\n`);
  });

  test.each(['/proc/self/fd/3', '/proc/self/fd/7', '/proc/self/cwd/etc'])(
    'never starts in %s, which leads out',
    async (cwd) => {
      await expect(host.sh('pwd', { process: { cwd } })).rejects.toMatchObject({
        details: { stage: 'exec', errnoName: 'ELOOP' },
      });
    },
  );

  test('root has the capabilities of its spec, none of them inheritable', async () => {
    const { out } = await host.sh('grep Cap /proc/self/status', {
      process: { capabilities: ['CAP_CHOWN', 'CAP_KILL'] },
    });
    expect(out.match(/\d{16}/g)).toEqual([
      '0000000000000000', '0000000000000021', '0000000000000021', '0000000000000021', '0000000000000000',
    ]); // prettier-ignore
  });

  test('another user has its numbers and no capability', async () => {
    const user = { uid: 1000, gid: 2000, groups: [2000, 3000], home: '/' };
    const { out } = await host.sh('id; grep -E "Cap(Eff|Prm)" /proc/self/status; echo again > /dev/stdout', {
      process: { user },
    });
    expect(out).toBe(
      'uid=1000 gid=2000 groups=2000,3000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nagain\n',
    );
  });

  test('no_new_privs is set when asked for', async () => {
    const { out } = await host.sh('grep NoNewPrivs /proc/self/status', { process: { noNewPrivileges: true } });
    expect(out).toBe('NoNewPrivs:\t1\n');
  });
});

describe('a seccomp filter', () => {
  // ALLOW all but mkdir (83), which is EPERM: BPF for x86-64.
  const filter = (): string => {
    const path = join(host.dir, 'filter.bpf');
    const words = [
      [0x20, 0, 0, 0], // load the number
      [0x15, 0, 1, 83], // mkdir?
      [0x06, 0, 0, 0x00050001], // errno EPERM
      [0x06, 0, 0, 0x7fff0000], // allow
    ] as const;
    const bytes = Buffer.alloc(words.length * 8);
    words.forEach(([code, yes, no, value], i) => {
      bytes.writeUInt16LE(code, i * 8);
      bytes.writeUInt8(yes, i * 8 + 2);
      bytes.writeUInt8(no, i * 8 + 3);
      bytes.writeUInt32LE(value, i * 8 + 4);
    });
    writeFileSync(path, bytes);
    return path;
  };

  test.each([
    ['before capabilities are dropped', false],
    ['after no_new_privs', true],
  ])('is loaded %s', async (_name, noNewPrivileges) => {
    const { out } = await host.sh('mkdir /tmp/x; echo $?; grep Seccomp: /proc/self/status', {
      process: { seccomp: filter(), noNewPrivileges },
    });
    expect(out).toBe('1\nSeccomp:\t2\n');
  });
});

describe('the terminal', () => {
  test('is a pty of the container, controlling, and its console', async () => {
    const { out } = await host.sh('tty; ls -l /dev/console | cut -c1; sh -c ": > /dev/tty && echo controls"', {
      process: { terminal: true },
    });
    expect(out).toBe('/dev/pts/0\nc\ncontrols\n');
  });

  test('has the size it is given', async () => {
    const container = await host.run({
      args: ['sh', '-c', 'trap "stty size; exit" WINCH; echo up; while :; do sleep 0.05; done'],
      process: { terminal: true },
    });
    await until('the trap is set', () => container.output() === 'up\n');
    await container.client.resize(33, 77);
    await container.ended();
    expect(container.output()).toBe('up\n33 77\n');
  });

  test('who has none has end of file on stdin, or an open pipe when asked for', async () => {
    expect((await host.sh('cat; echo eof')).out).toBe('eof\n');
    const open = await host.run({ args: ['cat'], process: { stdin: true } });
    await expect(open.client.resize(1, 1)).rejects.toMatchObject({ details: { errnoName: 'ENOTTY' } });
    expect(open.records.some(({ event }) => event === 'exited')).toBe(false);
    await open.client.kill();
    await open.ended();
  });
});

describe('owners come and go', () => {
  test('a container that its owner lost runs on and is found again', async () => {
    const container = await host.run({ args: ['sleep', '100'] });
    // The connection is all that ties an owner to a monitor: the monitor has its own session and ignores signals.
    container.client.close();
    await container.client.closed;
    const address = { socket: container.place.socket, pod: host.owner, container: container.spec.id };
    const again = await connectMonitor(address, never);
    await again.kill();
    await again.closed;
    const records = await readRecords(container.place.record);
    expect(records.map(({ event }) => event)).toEqual(['created', 'started', 'signal', 'exited']);
  });

  test("another container's monitor is not taken for this one's", async () => {
    const container = await host.run({ args: ['sleep', '100'] });
    const address = { socket: container.place.socket, pod: host.owner, container: 'another' };
    await expect(connectMonitor(address, never)).rejects.toMatchObject({ code: 'state.corrupt' });
    await container.client.kill();
    await container.ended();
  });

  test('kill -9 of the monitor kills the container', async () => {
    const container = await host.run({ args: ['sh', '-c', 'trap "" HUP TERM; while :; do sleep 1; done'] });
    const [created] = container.records;
    const pid = created?.event === 'created' ? created.pid : 0;
    const parent = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    expect(readFileSync(`/proc/${parent}/comm`, 'utf8')).toBe('minirt-monitor\n');
    process.kill(parent, 'SIGTERM');
    await container.client.signal(1);
    process.kill(parent, 'SIGKILL');
    await container.client.closed;
    await until('nobody is left', () => readFileSync(join(container.cgroup2, 'cgroup.procs'), 'utf8') === '');
  });

  test('a watcher that does not read is no burden', async () => {
    const container = await host.run({ args: ['sh', '-c', 'trap "" USR1; while :; do sleep 1; done'] });
    const address = { socket: container.place.socket, pod: host.owner, container: container.spec.id };
    const deaf = await connectMonitor(address, never);
    deaf.watch(() => {});
    for (let i = 0; i < 3000; i++) void container.client.signal(10).catch(() => {});
    await container.client.signal(10);
    await container.client.kill();
    await container.ended();
    expect(container.records.filter(({ event }) => event === 'signal')).toHaveLength(3002);
    deaf.close();
  });
});

test('a socket path over 107 bytes is refused before anything is made', async () => {
  const address = { socket: `/tmp/${'x'.repeat(103)}`, pod: '', container: '' };
  expect(() => connectMonitor(address, never)).toThrow(expect.objectContaining({ code: 'state.path-too-long' }));
});
