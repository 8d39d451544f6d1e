import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isErrno } from '../../src/base/errors.ts';
import { helperPath } from '../../src/helper/locate.ts';
import { TestHost, until } from '../support/containers.ts';
import { isHost } from '../support/hosts.ts';

const host = new TestHost();
beforeAll(() => host.open());
afterAll(async () => {
  await host.close();
});

const out = async (script: string, options = {}): Promise<string> => (await host.sh(script, options)).out;

describe('devices', () => {
  test.each(['null', 'zero', 'full', 'random', 'urandom'])('/dev/%s can be read or written', async (name) => {
    expect(await out(`head -c 1 /dev/${name} >/dev/null && echo ok`)).toBe('ok\n');
  });

  test('a node of a disk can be made and not be opened', async () => {
    expect(await out('mknod /tmp/disk b 254 0 && echo made; head -c 1 /tmp/disk 2>&1 | tail -1')).toBe(
      'made\nhead: /tmp/disk: Operation not permitted\n',
    );
  });

  test("nor can one of the kernel's memory", async () => {
    expect(await out('mknod /dev/kmsg c 1 11; head -c 1 /dev/kmsg 2>&1')).toContain('Operation not permitted');
  });
});

describe('what is hidden', () => {
  test('masked files are empty, masked folders too', async () => {
    expect(
      await out(
        'for f in /proc/kcore /proc/keys /proc/timer_list; do head -c 10 $f; done; ls /proc/acpi /sys/firmware 2>/dev/null | grep -v :',
      ),
    ).toBe('\n');
  });

  test.each([
    '/proc/sys/kernel/hostname',
    '/proc/sysrq-trigger',
    '/sys/kernel/mm/ksm/run',
    '/proc/irq/default_smp_affinity',
  ])('%s cannot be written', async (path) => {
    expect(await out(`echo x 2>&1 > ${path}`)).toMatch(/Read-only file system|nonexistent/);
  });

  test('the cgroup is its own root, and read-only', async () => {
    expect(
      await out('cat /proc/self/cgroup | grep ^0:; mkdir /sys/fs/cgroup/x 2>&1; ls /sys/fs/cgroup/cgroup.procs'),
    ).toBe(
      "0::/\nmkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\n/sys/fs/cgroup/cgroup.procs\n",
    );
  });

  test("nothing of the host's mounts is left", async () => {
    const targets = (await out('cat /proc/self/mountinfo')).split('\n').map((line) => line.split(' ')[4] ?? '');
    const known = /^(\/|\/proc|\/dev|\/dev\/(pts|mqueue|shm)|\/sys|\/sys\/fs\/cgroup|)$|^\/(proc|sys)\//;
    expect(targets.filter((target) => !known.test(target))).toEqual([]);
  });

  test('a read-only root is read-only, its mounts are not', async () => {
    expect(await out('echo x > /f; echo x > /dev/shm/f && echo shm', { spec: { readonlyRootfs: true } })).toBe('shm\n');
  });

  test("the root folder has the image's mode", async () => {
    expect(await out('stat -c "%a %u" /')).toBe('755 0\n');
  });
});

test('an image may have 127 layers', async () => {
  const layers = Array.from({ length: 126 }, (_, i) =>
    host.layer(`l/${String(i).padStart(14, '0')}`, (root) => {
      writeFileSync(join(root, `f${i}`), '');
    }),
  );
  const rootfs = { store: host.store, layers: [...layers, 'base'] };
  expect(await out('ls / | grep -c ^f', { spec: { rootfs } })).toBe('126\n');
});

describe('binds', () => {
  test('a folder and a file, read-only and not', async () => {
    const dir = join(host.dir, 'volume');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'file'), 'from the host\n');
    const mounts = [
      { kind: 'bind', source: dir, target: '/data/deep', flags: ['rec', 'rprivate'] },
      { kind: 'bind', source: join(dir, 'file'), target: '/etc/hosts', flags: ['ro', 'rprivate'] },
    ] as const;
    expect(
      await out('cat /data/deep/file /etc/hosts; echo w > /data/deep/new; echo x 2>&1 > /etc/hosts', {
        spec: { mounts },
      }),
    ).toContain('from the host\nfrom the host\n');
    expect(readFileSync(join(dir, 'new'), 'utf8')).toBe('w\n');
    expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('from the host\n');
  });

  test.each(['/proc', '/proc/self', '/proc/sys/kernel'])('nothing can be put on %s', async (target) => {
    const mounts = [{ kind: 'bind', source: '/tmp', target, flags: [] }] as const;
    await expect(out('true', { spec: { mounts } })).rejects.toMatchObject({
      details: { stage: 'mounts', errnoName: 'EPERM' },
    });
  });
});

describe('a hostile image', () => {
  /** A root file system with one thing changed; everything it could reach outside is in `canary`. */
  const hostile = (change: (root: string, canary: string) => void) => {
    const canary = join(host.dir, 'canary');
    rmSync(canary, { recursive: true, force: true });
    mkdirSync(canary);
    const name = `h${Math.random().toString(36).slice(2, 10)}`;
    host.layer(name, (root) => change(root, canary));
    return { canary, spec: { rootfs: { store: host.store, layers: [name, 'base'] } } };
  };

  test.each([
    ['/dev is a link to a folder of the host', 'dev', (canary: string) => canary],
    ['/dev climbs out', 'dev', (canary: string) => `../../../../../..${canary}`],
    ['/etc is a link to a folder of the host', 'etc', (canary: string) => canary],
    ['/sys is a link', 'sys', (canary: string) => canary],
    ['/proc is a link', 'proc', (canary: string) => canary],
  ])('%s: nothing is written there', async (_name, link, to) => {
    const { canary, spec } = hostile((root, dir) => symlinkSync(to(dir), join(root, link)));
    const mounts = [{ kind: 'bind', source: '/etc/hostname', target: '/etc/hosts', flags: ['ro'] }] as const;
    // It may be refused or stay inside; it never leads out.
    const ended = await out('echo x > /dev/x; echo x > /etc/x; echo ran', { spec: { ...spec, mounts } }).catch(
      (error: unknown) => error,
    );
    expect(ended === 'ran\n' || ended).toSatisfy((value: unknown) => value === true || value instanceof Error);
    expect(readdirSync(canary)).toEqual([]);
  });

  test('/proc as a link inside the image is refused', async () => {
    const { spec } = hostile((root) => {
      mkdirSync(join(root, 'volume'));
      symlinkSync('volume', join(root, 'proc'));
    });
    await expect(out('true', { spec })).rejects.toMatchObject({ details: { stage: 'mounts', errnoName: 'ELOOP' } });
  });

  test('a file where a mount wants to be is not followed out', async () => {
    const { canary, spec } = hostile((root, dir) => {
      mkdirSync(join(root, 'etc'));
      symlinkSync(join(dir, 'made'), join(root, 'etc', 'hosts'));
    });
    const mounts = [{ kind: 'bind', source: '/etc/hostname', target: '/etc/hosts', flags: ['ro'] }] as const;
    await out('true', { spec: { ...spec, mounts } }).catch(() => {});
    expect(readdirSync(canary)).toEqual([]);
  });
});

// A sanitized build is not static, so that it cannot run where its libraries are not.
const isStatic = isHost(!helperPath().endsWith('-san'), 'static helpers', 'what a container can do with the helper');

describe.each(isStatic ? ['minirt-helper'] : [])('the file of %s', () => {
  const digest = (): string => createHash('sha256').update(readFileSync(helperPath())).digest('hex');

  test('an entrypoint of /proc/self/exe runs it and cannot change it', async () => {
    const before = digest();
    const container = await host.run({ args: ['/proc/self/exe'] });
    await container.ended();
    expect(container.output()).toContain('"stage":"plan"');
    expect(digest()).toBe(before);
  });

  test('its file stays read-only for who held it open when it ended', async () => {
    // A copy of its own: nothing else runs it, so that ETXTBSY does not hide what is to be seen.
    const mine = join(host.dir, 'helper');
    const before = process.env['MINIRT_HELPER'];
    copyFileSync(helperPath(), mine);
    process.env['MINIRT_HELPER'] = mine;
    try {
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
    } finally {
      if (before === undefined) delete process.env['MINIRT_HELPER'];
      else process.env['MINIRT_HELPER'] = before;
    }
  });
});
