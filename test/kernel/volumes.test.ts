import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import type { TestEntry } from '../support/images.ts';

const pods = useHostPods();
/** What a hostile image would like to reach. */
const canary = join(pods.folder, 'canary');
/** Of all pods here. */
const volumes = [{ name: 'v', emptyDir: {} }, { name: 'w' }];

beforeAll(() => {
  mkdirSync(canary);
  writeFileSync(join(canary, 'mine'), 'host\n');
});

/** Runs a container to its end and answers what it said. */
async function said(line: string, volumeMounts: readonly object[], more: object = {}): Promise<string> {
  const pod = await pods.start([{ line, volumeMounts, ...more }], { volumes });
  await pod.ended();
  return pod.log();
}

const v = { name: 'v', mountPath: '/v' };

describe('an emptyDir', () => {
  test('is empty, and everybody may write to it', async () => {
    expect(await said('ls -A /v; stat -c "%a %u %g" /v; umask 0; touch /v/f && echo wrote', [v])).toBe(
      '777 0 0\nwrote\n',
    );
  });

  test('is shared by the containers of a pod, and nobody else sees it', async () => {
    const a = 'echo hello > /v/f; until [ -e /v/read ]; do sleep 0.05; done; echo over';
    const b = 'until [ -s /x/y/f ]; do sleep 0.05; done; cat /x/y/f; touch /x/y/read';
    const containers = [
      { name: 'a', line: a, volumeMounts: [v] },
      { name: 'b', line: b, volumeMounts: [{ name: 'v', mountPath: '/x/y' }] },
      { name: 'c', line: 'ls -d /v 2>&1; ls -A /other', volumeMounts: [{ name: 'w', mountPath: '/other' }] },
    ];
    const pod = await pods.start(containers, { volumes });
    await pod.ended();
    expect(containers.map(({ name }) => pod.log(name))).toEqual([
      'over\n',
      'hello\n',
      'ls: /v: No such file or directory\n',
    ]);
  });

  test('outlives its containers, with the mode that one gave it, and goes with the pod', async () => {
    const line = 'echo x >> /v/n; echo x >> /n; chmod 711 /v; echo $(wc -l < /v/n) $(wc -l < /n); sleep 1000';
    // A kill for a probe is followed by a restart at once.
    const livenessProbe = { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 };
    const pod = await pods.start([{ line, volumeMounts: [v], livenessProbe }], { volumes, restartPolicy: 'Always' });
    await eventually(() => {
      expect([pod.log('c', 0), pod.log('c', 1)]).toEqual(['1 1\n', '2 1\n']);
    });
    expect(statSync(pod.volume('v')).mode & 0o7777).toBe(0o711);
    await pod.delete();
  });

  test('goes with its pod however deep it is, and whatever its names are', async () => {
    // Six chains, each about as long as a path may be, moved one into another.
    const line = `cd /v; n=$(printf '%0200d' 0); d=$n; for i in $(seq 14); do d=$d/$n; done
      for i in $(seq 6); do mkdir -p new/$d; [ ! -e top ] || busybox mv top new/$d/; busybox mv new top; done
      touch "$(printf 'odd\\377name')" && echo deep`;
    expect(await said(line, [v])).toBe('deep\n');
  });

  test('is taken over by the next owner, and goes with the pod then', async () => {
    const pod = await pods.start([{ line: 'echo x >> /v/n; sleep 1000', volumeMounts: [v] }], { volumes });
    await eventually(() => {
      expect(readFileSync(join(pod.volume('v'), 'n'), 'utf8')).toBe('x\n');
    });
    await pods.reopen();
    const taken = await pods.take(pod.view);
    expect(readFileSync(join(pod.volume('v'), 'n'), 'utf8')).toBe('x\n');
    await taken.delete();
  });

  test('that an owner died over is made anew', async () => {
    const pod = await pods.start(
      [{ line: 'stat -c "%a" /v; ls -A /v', volumeMounts: [v] }],
      { volumes },
      ({ paths }) => {
        mkdirSync(join(paths.bulk, 'volumes', '.v'), { recursive: true, mode: 0o700 });
      },
    );
    await pod.ended();
    expect(pod.log()).toBe('777\n');
  });
});

describe('a mount', () => {
  test('that is read-only is, and only there', async () => {
    const line = `echo x > /r/f; mount -o remount,rw /r 2>/dev/null; touch /r/g; rm /r/f; echo y > /v/f && cat /r/f`;
    expect(await said(line, [v, { name: 'v', mountPath: '/r', readOnly: true }])).toBe(
      [
        "/bin/sh: can't create /r/f: Read-only file system",
        'touch: /r/g: Read-only file system',
        "rm: can't remove '/r/f': No such file or directory",
        'y',
        '',
      ].join('\n'),
    );
  });

  test('within another is there, in whatever order they are written', async () => {
    const line = 'touch /a/outer /a/b/c/inner; ls -A /a /a/b/c; ls -A /a/b';
    const mounts = [
      { name: 'w', mountPath: '/a/b/c' },
      { name: 'v', mountPath: '/a' },
    ];
    expect(await said(line, mounts)).toBe('/a:\nb\nouter\n\n/a/b/c:\ninner\nc\n');
  });

  test('hides what the image has there', async () => {
    expect(await said('/bin/busybox ls -A /home; echo > /home/f', [{ name: 'v', mountPath: '/home' }])).toBe('');
  });

  test('may be put on what minirt makes', async () => {
    const line = 'for d in /dev/shm /etc; do echo x > $d/x && stat -c %a $d; done; ls -A /etc; wc -c < /dev/null';
    const mounts = [
      { name: 'v', mountPath: '/dev/shm' },
      { name: 'w', mountPath: '/etc' },
    ];
    expect(await said(line, mounts)).toBe('777\n777\nhostname\nhosts\nresolv.conf\nx\n0\n');
  });

  test('of shared memory is the only one there', async () => {
    const line = 'grep -c " /dev/shm " /proc/mounts; ls -A /dev/shm';
    expect(await said(line, [{ name: 'v', mountPath: '/dev/shm/' }])).toBe('1\n');
  });

  test.each(['/proc', '/proc/sys'])('on %s is refused', async (mountPath) => {
    const pod = await pods.start([{ line: 'true', volumeMounts: [{ name: 'v', mountPath }] }], { volumes });
    await eventually(() => {
      expect(pod.journal()).toContain(`mounts: mount on ${mountPath}: EPERM`);
    });
    await pod.delete();
  });

  test('takes the place of /etc/hosts', async () => {
    await pods.image('nohosts');
    const mounts = [{ name: 'v', mountPath: '/etc/hosts' }];
    expect(await said('[ -d /etc/hosts ] && echo folder', mounts, { image: 'nohosts' })).toBe('folder\n');
  });

  test('on a file of the image is an error that names it, and nothing is left', async () => {
    const pod = await pods.start([{ line: 'true', volumeMounts: [{ name: 'v', mountPath: '/etc/passwd' }] }], {
      volumes,
    });
    await eventually(() => {
      expect(pod.journal()).toContain('mounts: make /etc/passwd: ENOTDIR');
    });
    expect(readdirSync(pod.volume('v'))).toEqual([]);
    await pod.delete();
  });
});

describe('an image whose links lead to what is not there', () => {
  test.each([
    ['the mount itself', '/v', { v: '/data/deep' }, '/data/deep'],
    ['a folder above it', '/var/run/x', { 'var/run': '../run' }, '/run/x'],
    ['a link to a link', '/one/x', { one: 'two', two: '/three' }, '/three/x'],
    ['a link that climbs past the root', '/v', { v: '../../../../data' }, '/data'],
    ['the resolver file', '/v', { 'etc/resolv.conf': '../run/systemd/resolve/stub-resolv.conf' }, '/v'],
  ])('has them made: %s', async (what, mountPath, links, real) => {
    const image = `dangling-${what.replaceAll(/\W/g, '-')}`;
    await pods.image(image, [{ name: 'var/' }, ...symlinks(links)]);
    const line = `echo x > ${mountPath}/x; [ -s ${real}/x ] && [ -e /etc/resolv.conf ] && echo there`;
    expect(await said(line, [{ name: 'v', mountPath }], { image })).toBe('there\n');
  });

  test('in a circle is refused', async () => {
    await pods.image('circle', symlinks({ one: '/two', two: 'one' }));
    const volumeMounts = [{ name: 'v', mountPath: '/one/x' }];
    const pod = await pods.start([{ line: 'true', image: 'circle', volumeMounts }], { volumes });
    await eventually(() => {
      expect(pod.journal()).toContain('mounts: make /one/x: ELOOP');
    });
    await pod.delete();
  });
});

describe('a hostile image', () => {
  test.each([
    ['a link to a folder of the host', '/v', { v: canary }],
    ['a link that climbs out', '/v', { v: `../../../..${canary}` }],
    ['a link on the way', '/way/sub', { way: canary }],
    ['a link to a link', '/one/sub', { one: '/two', two: `/..${canary}` }],
    ['a link by way of /proc', '/v', { v: '/proc/1/root/tmp' }],
  ])('cannot lead a mount out by %s', async (what, mountPath, links) => {
    const image = `hostile-${what.replaceAll(/\W/g, '-')}`;
    await pods.image(image, symlinks(links));
    const line = `echo x > ${mountPath}/x; echo ran`;
    const pod = await pods.start([{ line, image, volumeMounts: [{ name: 'v', mountPath }] }], { volumes });
    await eventually(() => {
      // Inside of the root, or not at all.
      expect(pod.log() + pod.journal()).toMatch(/ran|mounts: /);
    });
    await pod.delete();
    expect(readdirSync(canary)).toEqual(['mine']);
    expect(readFileSync(join(canary, 'mine'), 'utf8')).toBe('host\n');
  });
});

/** Links of an image, by name. */
function symlinks(links: Readonly<Record<string, string>>): readonly TestEntry[] {
  return Object.entries(links).map(([name, linkname]) => ({ name, linkname, type: 'symlink' }));
}
