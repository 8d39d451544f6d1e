/**
 * Published escapes of container runtimes, tried on this one: each is named by its CVE, and looks at a canary outside of
 * the container. test/escapes/controls.ts takes the defences out one by one, and then these tests must fail.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isErrno } from '../../src/base/errors.ts';
import { execCapture } from '../../src/container/exec.ts';
import { resolveUser } from '../../src/container/users.ts';
import { helperPath } from '../../src/helper/locate.ts';
import { peekImage } from '../../src/helper/peek.ts';
import { TestHost, until } from '../support/containers.ts';
import { execRequest } from '../support/exec.ts';
import { isHost } from '../support/hosts.ts';
import { expectHits } from '../support/races.ts';

const host = new TestHost();
const canary = join(host.dir, 'canary');
const never = new AbortController().signal;

beforeAll(() => host.open());
afterAll(async () => {
  await host.close();
});
beforeEach(() => {
  rmSync(canary, { recursive: true, force: true });
  mkdirSync(canary);
  writeFileSync(join(canary, 'mine'), 'host\n');
});

const out = async (script: string, options = {}): Promise<string> => (await host.sh(script, options)).out;

/** What could have been changed outside. */
function untouched(): void {
  expect(readdirSync(canary)).toEqual(['mine']);
  expect(readFileSync(join(canary, 'mine'), 'utf8')).toBe('host\n');
  expect(lstatSync(join(canary, 'mine'))).toMatchObject({ nlink: 1, uid: 0, gid: 0 });
}

/** A root file system with one thing changed. */
function hostile(change: (root: string) => void): { readonly rootfs: { store: string; layers: readonly string[] } } {
  const name = `h${Math.random().toString(36).slice(2, 10)}`;
  host.layer(name, change);
  return { rootfs: { store: host.store, layers: [name, 'base'] } };
}

describe('an image in which', () => {
  const up = `../../../../../..${canary}`;
  const hosts = [{ kind: 'bind', source: '/etc/hostname', target: '/etc/hosts', flags: ['ro'] }] as const;

  test.each([
    ['CVE-2026-41579, CVE-2026-47766: /dev', 'dev', canary],
    ['CVE-2019-18837: /etc, on which a file is mounted,', 'etc', canary],
    ['CVE-2025-24965: /etc/hosts', 'etc/hosts', join(canary, 'mine')],
  ])('%s leads out through a link', reachesOnlyItself);

  test.each([
    ['CVE-2026-41579, CVE-2026-47766: /dev', 'dev', up],
    ['CVE-2019-18837: /etc', 'etc', up],
    ['CVE-2025-24965: /etc/hosts', 'etc/hosts', `../../../../../../..${join(canary, 'mine')}`],
  ])('%s climbs', reachesOnlyItself);

  test('CVE-2024-5154: /etc/hosts is a link to what is not there', () =>
    reachesOnlyItself('', 'etc/hosts', join(canary, 'made')));

  async function reachesOnlyItself(_: string, path: string, target: string): Promise<void> {
    const spec = hostile((root) => {
      if (path.includes('/')) mkdirSync(join(root, 'etc'));
      symlinkSync(target, join(root, path));
    });
    // Everything is where it belongs, seen from inside.
    const line = 'test -c /dev/null && grep -q . /etc/hosts && echo x >/etc/x && echo inside';
    expect(await out(line, { spec: { ...spec, mounts: hosts } })).toBe('inside\n');
    untouched();
  }

  test('CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc as a link is refused', async () => {
    const spec = hostile((root) => {
      mkdirSync(join(root, 'volume'));
      symlinkSync('volume', join(root, 'proc'));
    });
    await expect(out('true', { spec })).rejects.toMatchObject({ details: { stage: 'mounts', errnoName: 'ELOOP' } });
  });

  test('CVE-2025-31133: what is masked stays masked whatever /dev/null is', async () => {
    const devices = join(host.dir, 'devices');
    mkdirSync(devices, { recursive: true });
    rmSync(join(devices, 'null'), { force: true });
    symlinkSync('/proc/sys/kernel/core_pattern', join(devices, 'null'));
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const mounts = [{ kind: 'bind', source: devices, target: '/dev', flags: [] }] as const;
    const line =
      'for f in /proc/kcore /proc/keys /proc/timer_list; do head -c 10 $f; done; echo x 2>/dev/null >/proc/keys; echo done';
    expect(await out(line, { spec: { mounts } })).toBe('done\n');
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(pattern);
  });
});

describe('a mount', () => {
  test.each(['/proc', '/proc/self', '/proc/sys/kernel'])('CVE-2019-16884: nothing can be put on %s', async (target) => {
    const mounts = [{ kind: 'bind', source: '/tmp', target, flags: [] }] as const;
    await expect(out('true', { spec: { mounts } })).rejects.toMatchObject({
      details: { stage: 'mounts', errnoName: 'EPERM' },
    });
  });

  test('CVE-2022-0492, CVE-2023-25809: its cgroup cannot be changed', async () => {
    const line = 'mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; find /sys/fs/cgroup -name release_agent; echo done';
    expect(await out(line)).toBe('done\n');
  });

  test.each(['b 254 0', 'b 8 0', 'c 1 1', 'c 10 229'])(
    'mknod: a device that is made (%s) cannot be opened',
    async (kind) => {
      for (const folder of ['/tmp', '/dev', '/volume']) {
        const mounts = [{ kind: 'bind', source: canary, target: '/volume', flags: [] }] as const;
        const line = `mknod ${folder}/d ${kind} && head -c 1 ${folder}/d 2>&1 | tail -1; rm ${folder}/d`;
        expect(await out(line, { spec: { mounts } })).toBe(`head: ${folder}/d: Operation not permitted\n`);
      }
      untouched();
    },
  );
});

describe('descriptors', () => {
  test('CVE-2024-21626: a working directory of /proc/self/fd/N is never outside', async () => {
    for (let fd = 3; fd < 32; fd++) {
      const process = { cwd: `/proc/self/fd/${fd}` };
      await expect(host.run({ args: ['sh', '-c', 'ls'], process })).rejects.toMatchObject({
        details: { stage: 'exec' },
      });
    }
  });

  test('CVE-2024-21626: no inherited descriptor reaches a container', async () => {
    // Starts the helper with a folder of the host open, as a careless caller would.
    const wrapper = join(host.dir, 'careless');
    writeFileSync(wrapper, `#!/bin/sh\nexec 9<${canary}\nexec ${helperPath()} "$@"\n`, { mode: 0o755 });
    const line =
      'cat /proc/self/fd/9/mine; ls /proc/self/fd | while read fd; do [ $fd -gt 3 ] && echo has $fd; done; echo done';
    expect(await withHelper(wrapper, () => out(`{ ${line}; } 2>/dev/null`))).toBe('done\n');
  });
});

/** Runs something with another helper. */
async function withHelper<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['MINIRT_HELPER'];
  process.env['MINIRT_HELPER'] = path;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env['MINIRT_HELPER'];
    else process.env['MINIRT_HELPER'] = before;
  }
}

// A sanitized build is not static, so that it cannot run where its libraries are not.
const isStatic = isHost(!helperPath().endsWith('-san'), 'static helpers', 'what a container can do with the helper');

describe.each(isStatic ? ['minirt-helper'] : [])('CVE-2019-5736: the file of %s', () => {
  const digest = (): string => createHash('sha256').update(readFileSync(helperPath())).digest('hex');

  test('can be run as /proc/self/exe, and not be changed', async () => {
    const before = digest();
    const container = await host.run({ args: ['/proc/self/exe'] });
    await container.ended();
    expect(container.output()).toContain('"stage":"plan"');
    expect(digest()).toBe(before);
  });

  test('stays read-only for who held it open when it ended', async () => {
    // A copy of its own: nothing else runs it, so that ETXTBSY does not hide what is to be seen.
    const mine = join(host.dir, 'helper');
    copyFileSync(helperPath(), mine);
    await withHelper(mine, async () => {
      const container = await host.run({ args: ['/proc/self/exe', 'sandbox'], process: { stdin: true } });
      const [created] = container.records;
      const held = openSync(`/proc/${created?.event === 'created' ? created.pid : 0}/exe`, 'r');
      await container.client.kill();
      await container.ended();
      await until('nobody runs it', () => {
        try {
          closeSync(openSync(`/proc/self/fd/${held}`, 'r+'));
          throw new Error('it was opened for writing');
        } catch (error) {
          if (isErrno(error, 'ETXTBSY')) return false;
          expect(error).toMatchObject({ code: 'EROFS' });
          return true;
        }
      });
      closeSync(held);
    });
  });
});

describe('who a process is', () => {
  test('CVE-2022-24769: nothing is inheritable, in the container and in what is executed in it', async () => {
    const line = 'grep -E "Cap(Inh|Amb)" /proc/self/status | tr -d "\\t"; echo done';
    expect(await out(line)).toBe('CapInh:0000000000000000\nCapAmb:0000000000000000\ndone\n');
  });

  const passwd = 'root:x:0:0::/root:\n1000:x:0:0::/root:\napp:x:1000:1001::/home/app:\n';
  const group = 'staff:x:50:app\n1001:x:0:\n';

  test('CVE-2016-3697, CVE-2026-46680: a number is never looked up as a name', () => {
    expect(resolveUser('1000', passwd, group)).toMatchObject({ uid: 1000, gid: 1001 });
    expect(resolveUser('1000:1001', passwd, group)).toMatchObject({ uid: 1000, gid: 1001 });
  });

  test.each(['4294967296', '2147483648', '1000:4294967296'])('CVE-2024-40635: %s is no user', (spec) => {
    expect(() => resolveUser(spec, passwd, group)).toThrow('is not an id from 0 to 2147483647');
  });

  test.each(['-1', '+0', '0x0', '1:-1', '0:0:0', ' 0'])('CVE-2026-30892: %j is nobody', (spec) => {
    expect(() => resolveUser(spec, passwd, group)).toThrow(/resolve user/);
  });

  test('CVE-2022-2989, CVE-2023-25173: the primary group is among the groups', async () => {
    const user = resolveUser('app', passwd, group);
    expect(await out('grep ^Groups /proc/self/status', { process: { user } })).toBe('Groups:\t50 1001 \n');
  });

  test('CVE-2022-4318: a home with a line break changes no file', async () => {
    const env = ['PATH=/bin', 'HOME=/x\nintruder::0:0::/:/bin/sh'];
    expect(await out('grep -c . /etc/passwd; grep intruder /etc/passwd; echo done', { process: { env } })).toBe(
      '1\ndone\n',
    );
  });

  test('CVE-2026-47262: a group file of 100 MB is refused', async () => {
    const { rootfs } = hostile((root) => {
      mkdirSync(join(root, 'etc'));
      writeFileSync(join(root, 'etc', 'group'), Buffer.alloc(100 << 20, 'x'));
    });
    await expect(peekImage(rootfs, [{ path: '/etc/group', limit: 1 << 20 }], never)).rejects.toMatchObject({
      code: 'image.invalid',
    });
  });
});

test('CVE-2016-9962: a process that enters a container shows nothing of itself before it is the program', async () => {
  // Every process that is the helper (with sanitizers its name is longer), also after the look, and whatever of its descriptors can be looked at.
  const watch = `while :; do
    for p in /proc/[0-9]*; do
      read name <$p/comm && test "\${name#minirt-helper}" != "$name" || continue
      echo entering $p; for fd in $p/fd/* $p/cwd $p/root $p/exe; do
        to=$(readlink $fd) && read name <$p/comm && test "\${name#minirt-helper}" != "$name" && echo leaked $to
      done
    done
  done 2>/dev/null`;
  const container = await host.run({ args: ['sh', '-c', watch] });
  const EXECS = 150;
  for (let i = 0; i < EXECS; i++) {
    const request = execRequest(container, ['true']);
    expect(await execCapture(request, { signal: never, limit: 1000 })).toMatchObject({ code: 0 });
  }
  await container.client.kill();
  await container.ended();
  const lines = container.output().split('\n');
  expect(lines.filter((line) => line.startsWith('leaked'))).toEqual([]);
  expectHits('CVE-2016-9962', new Set(lines.filter((line) => line.startsWith('entering'))).size, EXECS);
});
