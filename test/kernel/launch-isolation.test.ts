import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestHost } from '../support/containers.ts';

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
});
