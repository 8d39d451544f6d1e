/** What of a running pod others on the host could reach: folders, sockets, ports, memory. Named by CVE where there is one. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();
const NOBODY = 65534;

/** Everything below a folder that is of a kind; links are not followed, other file systems are. */
function below(folder: string, fits: (path: string) => boolean): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return [...(fits(path) ? [path] : []), ...(entry.isDirectory() ? below(path, fits) : [])];
  });
}

/** Runs a program as a user of the host who is nobody. */
function asNobody(...words: readonly string[]): { status: number | null; stdout: string } {
  const [file = '', ...args] = words;
  return spawnSync(file, args, { uid: NOBODY, gid: NOBODY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

const running = async (line = 'sleep 1000', more: object = {}, spec: object = {}) => {
  const pod = await pods.start([{ line, ...more }], spec);
  await eventually(() => {
    expect(pod.journal()).toContain('"state":"running"');
  });
  return pod;
};

describe('users of the host', () => {
  test('CVE-2021-41089, CVE-2021-41103, CVE-2024-25621: cannot enter the folders of state and images', async () => {
    const pod = await running();
    for (const folder of [pods.roots.root, pods.roots.state, pod.view.paths.dir, pod.view.paths.bulk]) {
      expect([folder, statSync(folder).mode & 0o7777]).toEqual([folder, 0o700]);
      expect(asNobody('ls', folder).status).not.toBe(0);
    }
    await pod.delete();
  });

  test('CVE-2020-15257: cannot use the sockets of monitors, and none of them is abstract', async () => {
    const before = new Set(readFileSync('/proc/net/unix', 'utf8').match(/@\S+/g) ?? []);
    const pod = await running();
    const sockets = below(pods.roots.state, (path) => lstatSync(path).isSocket());
    expect(sockets.length).toBeGreaterThan(0);
    for (const path of sockets) expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
    const abstract = (readFileSync('/proc/net/unix', 'utf8').match(/@\S+/g) ?? []).filter((name) => !before.has(name));
    expect(abstract.filter((name) => name.includes('minirt'))).toEqual([]);
    await pod.delete();
  });
});

describe('a pod', () => {
  test('CVE-2020-8558: does not open the loopback of the host to its neighbours', async () => {
    const pod = await running();
    const { stdout } = spawnSync('sysctl', ['-a', '--pattern', 'route_localnet'], { encoding: 'utf8' });
    expect(stdout.match(/= 1$/gm) ?? []).toEqual([]);
    await pod.delete();
  });

  test('CVE-2022-1708, CVE-2022-31030: fills no memory by the output of a hook', async () => {
    const hook = {
      exec: { command: ['/bin/sh', '-c', 'yes 0123456789012345678901234567890123456789 | head -c 300000000'] },
    };
    const before = process.memoryUsage.rss();
    const pod = await running('sleep 1000', { lifecycle: { postStart: hook } });
    expect(Buffer.byteLength(pod.journal())).toBeLessThan(400_000);
    const stored = below(pods.roots.state, (path) => lstatSync(path).isFile());
    expect(stored.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(2_000_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20);
    await pod.delete();
  });

  test('CVE-2020-8557: fills no disk of the host by the files that it is given', async () => {
    const line =
      'for f in /etc/hosts /etc/resolv.conf /dev/termination-log; do dd if=/dev/zero of=$f bs=1M count=64 2>/dev/null; done; wc -c /etc/hosts';
    const pod = await pods.start([{ line }]);
    await eventually(() => {
      expect(pod.journal()).toContain('"kind":"exit"');
    });
    const bytes = Number(/^\d+/.exec(pod.log())?.[0]);
    expect(bytes).toBeLessThanOrEqual(8 << 20);
    await pod.ended();
  });

  test('CVE-2023-6476, CVE-2024-3154, CVE-2026-53488: gains nothing by its annotations', async () => {
    const line = 'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; id; cat /proc/self/cgroup | grep ^0';
    const annotations = {
      'io.kubernetes.cri-o.userns-mode': 'auto',
      'io.kubernetes.cri-o.UnifiedCgroup.c': 'memory.max=max',
      'org.systemd.property.ExecStart': "['/bin/touch /pwned']",
      'run.oci.handler': 'krun',
      'io.katacontainers.config.hypervisor.path': '/bin/sh',
    };
    const plain = await pods.start([{ line }]);
    await plain.ended();
    const adorned = await pods.start([{ line }], {}, undefined, annotations);
    await adorned.ended();
    expect(adorned.log()).toBe(plain.log());
  });
});
