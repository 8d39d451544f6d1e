/** What `hostUsers: false` does, seen from inside and from the host. */
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kernelIsAtLeast } from '../../src/sys/host.ts';
import { eventually } from '../support/cli.ts';
import { type HostPod, useHostPods } from '../support/host-pods.ts';
import { isHost } from '../support/hosts.ts';

const pods = useHostPods();

const own = { hostUsers: false };

/** What one shell line prints in a container of a pod with users of its own. */
async function said(line: string, container: object = {}, pod: object = {}): Promise<string> {
  const started = await pods.start([{ line, ...container }], { ...own, ...pod });
  await started.ended();
  return started.log();
}

/** The host's pid of a container's first process, when it runs. */
async function pidOf(pod: HostPod): Promise<number> {
  return await eventually(async () => {
    const [pid = ''] = readFileSync(join(await pod.cgroup(), 'cgroup.procs'), 'utf8').split('\n');
    expect(Number(pid)).toBeGreaterThan(0);
    return Number(pid);
  });
}

const statusOf = (pid: number, field: string): readonly string[] => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1]?.split(/\s+/) ?? [];
};

/** scripts/vm has an older kernel. */
const mapsEverything = isHost(kernelIsAtLeast(6, 3), 'Linux 6.3 and newer', 'user namespaces');

if (mapsEverything) describe('hostUsers: false', ofUserNamespaces);
else {
  test('below Linux 6.3 the pod waits, and says why', async () => {
    const pod = await pods.start([{ line: 'id' }], own);
    await eventually(() => {
      expect(pod.journal()).toContain('id-mapped tmpfs takes Linux 6.3');
    });
    await pod.delete();
  });
}

function ofUserNamespaces(): void {
  describe('root', () => {
    test('is nobody on the host, with 65536 ids that no other pod has', async () => {
      const line = 'cat /proc/self/uid_map /proc/self/gid_map; id -u; exec sleep 60';
      const one = await pods.start([{ line }], own);
      const other = await pods.start([{ line }], own);
      const ranges = [];
      for (const pod of [one, other]) {
        // It is in its namespace once it says something.
        const words = await eventually(() => {
          const printed = pod.log().trim().split(/\s+/);
          expect(printed).toHaveLength(7);
          return printed;
        });
        const [uid = ''] = statusOf(await pidOf(pod), 'Uid');
        expect(words).toEqual(['0', uid, '65536', '0', uid, '65536', '0']);
        expect(Number(uid)).toBeGreaterThanOrEqual(0x70000000);
        expect(Number(uid) % 65536).toBe(0);
        ranges.push(uid);
      }
      expect(new Set(ranges).size).toBe(2);
      for (const pod of [one, other]) await pod.delete();
      expect(readdirSync(join(pods.roots.state, 'users'))).toEqual([]);
    });

    test('owns its image, its devices folder, its terminals and what it writes', async () => {
      const line =
        'stat -c "%n %u %g" / /bin/sh /dev /dev/pts/ptmx /dev/shm /dev/mqueue /tmp; ' +
        'echo x >/made && mkdir /tmp/d && chown 1000:2000 /tmp/d && stat -c "%u %g" /made /tmp/d; tty; stat -c %u:%g $(tty)';
      const text = await said(line, { tty: true });
      expect(text.replaceAll('\r', '')).toBe(
        '/ 0 0\n/bin/sh 0 0\n/dev 0 0\n/dev/pts/ptmx 0 0\n/dev/shm 0 0\n/dev/mqueue 0 0\n/tmp 0 0\n' +
          '0 0\n1000 2000\n/dev/pts/0\n0:5\n',
      );
    });

    test('has the capabilities of a container, over what is its own', async () => {
      const line =
        'grep ^CapEff /proc/self/status; hostname other 2>&1; mount -t tmpfs t /tmp 2>&1; ' +
        'ip link set lo down && echo down; ip link set lo up';
      expect(await said(line, { securityContext: { capabilities: { add: ['NET_ADMIN'] } } })).toMatch(
        /^CapEff:\t00000000a80435fb\nhostname: sethostname: Operation not permitted\nmount: .*denied.*\ndown\n$/,
      );
    });

    test('may mount with SYS_ADMIN, but not uncover what is hidden', async () => {
      const securityContext = { capabilities: { add: ['SYS_ADMIN'] } };
      const line =
        'mount -t tmpfs t /mnt && echo mounted; umount /proc/kcore 2>/dev/null || echo kept; ' +
        'umount /proc/sys 2>/dev/null || echo kept; echo 1 2>/dev/null >/proc/sys/kernel/panic || echo kept';
      expect(await said(`mkdir -p /mnt; ${line}`, { securityContext })).toBe('mounted\nkept\nkept\nkept\n');
    });

    test('has nothing of the host even when privileged', async () => {
      const line =
        'for d in $(ls /dev); do test -b /dev/$d && dd if=/dev/$d of=/dev/null bs=1 count=1 2>/dev/null && echo read $d; done; ' +
        'mknod /tmp/null c 1 3 2>/dev/null || echo no node; ' +
        'cat /proc/kcore >/dev/null 2>&1 || echo no kcore; dmesg >/dev/null 2>&1 || echo no dmesg; ' +
        'echo 1 2>/dev/null >/proc/sysrq-trigger || echo no sysrq; mkdir -p /m && mount -t sysfs s /m && echo mounted';
      expect(await said(line, { securityContext: { privileged: true } })).toBe(
        'no node\nno kcore\nno dmesg\nno sysrq\nmounted\n',
      );
    });
  });

  describe('others', () => {
    test('than root keep their numbers, in stdio and hooks too', async () => {
      const postStart = { exec: { command: ['/bin/sh', '-c', 'id -u >/tmp/who; echo hook >/dev/stdout'] } };
      const line =
        'until test -s /tmp/who; do sleep 0.05; done; cat /tmp/who; id -G; echo out >/dev/stdout; echo err >/dev/stderr';
      const securityContext = { runAsUser: 1000, runAsGroup: 2000 };
      expect(await said(line, { securityContext, lifecycle: { postStart } })).toBe('1000\n2000\nout\nerr\n');
    });

    test('beyond the range are refused', async () => {
      const pod = await pods.start([{ line: 'id', securityContext: { runAsUser: 65536 } }], own);
      await eventually(() => {
        expect(pod.journal()).toContain("id 65536 is outside the pod's user namespace, which has 0 to 65535");
      });
      await pod.delete();
    });
  });

  describe('volumes', () => {
    test('of every kind show their own ids inside, and keep them on the host', async () => {
      await pods.configMap('settings', { key: 'value' });
      await pods.secret('credentials', { token: 'secret-value' });
      const host = join(pods.folder, 'host');
      mkdirSync(host);
      writeFileSync(join(host, 'file'), 'x');
      chownSync(join(host, 'file'), 7, 8);
      const volumes = [
        { name: 'disk', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'map', configMap: { name: 'settings' } },
        { name: 'secret', secret: { secretName: 'credentials' } },
        { name: 'host', hostPath: { path: host } },
      ];
      const line =
        'touch /disk/made /memory/made /part/made /host/made; chown 1000:1000 /host/made; ' +
        'stat -Lc "%n %u:%g" /disk/made /memory/made /part/made /map/key /secret/token /host/file /host/made; cat /secret/token';
      const volumeMounts = [
        ...volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
        { name: 'disk', mountPath: '/part', subPath: 'a/b' },
      ];
      expect(await said(line, { volumeMounts }, { volumes, securityContext: { fsGroup: 3000 } })).toBe(
        '/disk/made 0:3000\n/memory/made 0:3000\n/part/made 0:3000\n/map/key 0:3000\n/secret/token 0:3000\n' +
          '/host/file 7:8\n/host/made 1000:1000\nsecret-value\n',
      );
      const made = statSync(join(host, 'made'));
      expect([made.uid, made.gid]).toEqual([1000, 1000]);
    });

    test('that are images are readable, and read-only', async () => {
      await pods.image('data', [{ name: 'data/' }, { name: 'data/file', content: 'x', uid: 5 }]);
      const volumes = [{ name: 'v', image: { reference: 'data', pullPolicy: 'Never' } }];
      const line = 'stat -c %u /v/data/file /v; touch /v/x 2>/dev/null || echo ro';
      expect(await said(line, { volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { volumes })).toBe('5\n0\nro\n');
    });

    test('that cannot be mapped are refused with the reason', async () => {
      const volumes = [{ name: 'v', hostPath: { path: '/proc' } }];
      const pod = await pods.start([{ line: 'id', volumeMounts: [{ name: 'v', mountPath: '/v' }] }], {
        ...own,
        volumes,
      });
      await eventually(() => {
        expect(pod.journal()).toMatch(/id-map \/proc.*CreateContainerError|CreateContainerError.*id-map \/proc/);
        expect(pod.journal()).toContain('the file system there has no id-mapped mounts');
      });
      await pod.delete();
    });
  });

  describe('a pod', () => {
    test('shares its user namespace among its containers, and its processes when it wants to', async () => {
      const line = 'readlink /proc/self/ns/user; exec sleep 60';
      const pod = await pods.start(
        [
          { name: 'a', line },
          { name: 'b', line: `until cat /proc/[0-9]*/comm 2>&1 | grep -qx sleep; do sleep 0.05; done; ${line}` },
        ],
        { ...own, shareProcessNamespace: true },
      );
      await eventually(() => {
        expect(pod.log('a')).toMatch(/^user:/);
        expect(pod.log('b')).toBe(pod.log('a'));
      });
      await pod.delete();
    });

    test('has its network, its name and a /proc that may be unmasked', async () => {
      const line =
        'ping -c1 127.0.0.1 >/dev/null && echo ping; hostname; ls /sys/class/net; ' +
        'test -e /proc/timer_list && head -c1 /proc/interrupts >/dev/null && echo open';
      const securityContext = { procMount: 'Unmasked' };
      const text = await said(line, { securityContext });
      expect(text).toMatch(/^ping\np\d+\neth0\nlo\nopen\n$/);
    });

    test('survives its owner, and can still be entered', async () => {
      const preStop = { exec: { command: ['/bin/sh', '-c', 'id -u >/host/who'] } };
      const host = join(pods.folder, 'who');
      mkdirSync(host);
      const volumes = [{ name: 'v', hostPath: { path: host } }];
      const line = 'trap exit TERM; echo up; while :; do sleep 0.1; done';
      const container = { line, lifecycle: { preStop }, volumeMounts: [{ name: 'v', mountPath: '/host' }] };
      const pod = await pods.start([container], { ...own, volumes });
      await eventually(() => {
        expect(pod.log()).toBe('up\n');
      });
      await pods.reopen();
      const again = await pods.take(pod.view);
      await again.delete({ now: false });
      expect(readFileSync(join(host, 'who'), 'utf8')).toBe('0\n');
      expect(existsSync(pod.view.paths.namespaces)).toBe(false);
    });
  });
}
