import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import { mount, umount } from '../support/mounts.ts';
import { expectHits } from '../support/races.ts';

const pods = useHostPods();
const volume = join(pods.folder, 'volume');
/** What a container would like to reach. */
const canary = join(pods.folder, 'canary');

beforeAll(() => {
  mkdirSync(canary);
  writeFileSync(join(canary, 'mine'), 'host\n');
});

beforeEach(() => {
  rmSync(volume, { recursive: true, force: true });
  mkdirSync(join(volume, 'a', 'b'), { recursive: true });
  writeFileSync(join(volume, 'a', 'file'), 'within\n');
});

const volumes = [{ name: 'v', hostPath: { path: volume } }, { name: 'e' }];

/** Runs a shell line with a part of the volume on /v. */
async function said(line: string, mounted: object, more: object = {}): Promise<string> {
  const volumeMounts = [{ name: 'v', mountPath: '/v', ...mounted }];
  const pod = await pods.start([{ line, volumeMounts, ...more }], { volumes });
  await pod.ended();
  return pod.log();
}

describe('a part of a volume', () => {
  test('may be a folder, a file, or what a link within the volume leads to', async () => {
    symlinkSync('../a/file', join(volume, 'a', 'link'));
    symlinkSync('a/b/..', join(volume, 'up'));
    expect(await said('ls /v', { subPath: 'a' })).toBe('b\nfile\nlink\n');
    expect(await said('cat /v', { subPath: 'a/file' })).toBe('within\n');
    expect(await said('cat /v', { subPath: 'up/link' })).toBe('within\n');
  });

  test('that is missing is made with the mode of the volume', async () => {
    execFileSync('chmod', ['1770', volume]);
    await said('touch /v/x', { subPath: 'new/deep' });
    for (const name of ['new', 'new/deep']) expect(statSync(join(volume, name)).mode & 0o7777).toBe(0o1770);
    expect(readdirSync(join(volume, 'new', 'deep'))).toEqual(['x']);
  });

  test('is named by variables', async () => {
    const env = [{ name: 'A', value: 'from-env' }];
    await said('touch /v/x', { subPathExpr: 'of/$(A)' }, { env });
    expect(readdirSync(join(volume, 'of', 'from-env'))).toEqual(['x']);
  });

  test('may be in several places, each with an access of its own', async () => {
    const volumeMounts = [
      { name: 'e', mountPath: '/one', subPath: 'x' },
      { name: 'e', mountPath: '/two', subPath: 'x', readOnly: true },
      { name: 'e', mountPath: '/whole' },
    ];
    const line = 'echo y > /one/f; touch /two/g 2>/dev/null || echo ro; cat /two/f /whole/x/f';
    const pod = await pods.start([{ line, volumeMounts }], { volumes });
    await pod.ended();
    expect(pod.log()).toBe('ro\ny\ny\n');
  });
});

describe('a part that leaves its volume', () => {
  const cases: readonly (readonly [string, string, string, 'prepare subPath' | 'create subPath directory'])[] = [
    ['a link to the host', 'out', canary, 'prepare subPath'],
    ['a link to a file of the host', 'out', join(canary, 'mine'), 'prepare subPath'],
    ['a link that climbs', 'a/out', '../../canary', 'prepare subPath'],
    ['a link on the way', 'out/mine', canary, 'prepare subPath'],
    ['a link to what is not there', 'out/new', canary, 'prepare subPath'],
    ['a link to nothing within', 'out/new', 'nothing', 'create subPath directory'],
    ['a link by way of /proc', 'out', '/proc/self/cwd', 'prepare subPath'],
  ];

  test.each(cases)('CVE-2017-1002101: is refused in the kubelet’s words: %s', async (_, subPath, target, what) => {
    symlinkSync(target, join(volume, subPath.replace(/\/(new|mine)$/, '')));
    const volumeMounts = [{ name: 'v', mountPath: '/v', subPath }];
    const pod = await pods.start([{ line: 'true', volumeMounts }], { volumes });
    const message = `failed to ${what} for volumeMount "v" of container "c"`;
    await eventually(() => {
      expect(pod.journal()).toContain(JSON.stringify(`Error: ${message}`));
    });
    expect(pod.journal()).toContain(`"reason":"CreateContainerConfigError","message":${JSON.stringify(message)}`);
    await pod.delete();
    expect(readdirSync(canary)).toEqual(['mine']);
    expect(lstatSync(join(canary, 'mine')).size).toBe(5);
  });

  test('CVE-2021-25741: is refused however fast a running container changes it', async () => {
    // Swaps a folder for a link to the host and back, as fast as it can; what a runtime makes there meanwhile does not end it.
    const attack = `cd /v
      while :; do rm -rf dir; ln -s ${canary} dir; rm -rf dir; mkdir -p dir/new/deep; sleep 0.003; done 2>/dev/null`;
    const racer = await pods.start([{ line: attack, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], { volumes });
    const outcomes = { within: 0, refused: 0 };
    const victim = 'ls -A /v; echo x > /v/planted; ls -d /v/mine 2>/dev/null';
    const eachOf = [...Array(12).keys()].map((i) => ({
      name: `c${i}`,
      line: victim,
      volumeMounts: [{ name: 'v', mountPath: '/v', subPath: i % 2 === 0 ? 'dir' : 'dir/new/deep' }],
    }));
    for (let round = 0; round < 4; round++) {
      const pod = await pods.start(eachOf, { volumes });
      await eventually(() => {
        for (const { name } of eachOf) {
          const told = new RegExp(`"container":"${name}","state":"(terminated|waiting","reason":"CreateContainer)`);
          expect(pod.journal()).toMatch(told);
        }
      });
      for (const { name } of eachOf) {
        expect(pod.log(name)).not.toContain('mine');
        if (pod.journal().includes(`"container":"${name}","state":"terminated"`)) outcomes.within++;
        else outcomes.refused++;
      }
      await pod.delete();
      expect(readdirSync(canary)).toEqual(['mine']);
    }
    await racer.delete();
    expectHits('CVE-2021-25741', Math.min(outcomes.within, outcomes.refused), outcomes.within + outcomes.refused);
  });
});

describe('mounts below a hostPath', () => {
  const sub = join(volume, 'a', 'b');

  test('are read-only too when that is asked for', async () => {
    mount('tmpfs', sub, 'size=64k');
    try {
      const line = 'touch /v/x 2>/dev/null || echo ro; touch /v/a/b/x 2>/dev/null || echo ro';
      expect(await said(line, { readOnly: true, recursiveReadOnly: 'Enabled' })).toBe('ro\nro\n');
    } finally {
      umount(sub);
    }
  });

  test('that come later reach a container that asks for them, and no other', async () => {
    mount('tmpfs', volume, 'size=64k');
    execFileSync('mount', ['--make-shared', volume]);
    mkdirSync(sub, { recursive: true });
    try {
      const line = 'echo up; until [ -e /go ]; do sleep 0.05; done; ls /v/a/b';
      const see = (mountPropagation: string): object => ({ name: 'v', mountPath: '/v', mountPropagation });
      const waitFor = { name: 'e', mountPath: '/go', subPath: 'go' };
      const lines = line.replace('-e /go', '-e /go/on');
      const containers = [
        { name: 'a', line: lines, volumeMounts: [see('HostToContainer'), waitFor] },
        { name: 'b', line: lines, volumeMounts: [see('None'), waitFor] },
      ];
      const pod = await pods.start(containers, { volumes });
      await eventually(() => {
        expect([pod.log('a'), pod.log('b')]).toEqual(['up\n', 'up\n']);
      });
      mount('tmpfs', sub, 'size=64k');
      writeFileSync(join(sub, 'late'), '');
      writeFileSync(join(pod.volume('e'), 'go', 'on'), '');
      await pod.ended();
      umount(sub);
      expect([pod.log('a'), pod.log('b')]).toEqual(['up\nlate\n', 'up\n']);
    } finally {
      umount(volume);
    }
  });

  test('that a privileged container makes reach the host, and stay there, where that is asked for', async () => {
    mount('tmpfs', volume, 'size=64k');
    execFileSync('mount', ['--make-shared', volume]);
    mkdirSync(sub, { recursive: true });
    try {
      const line = 'mount -t tmpfs none /v/a/b && touch /v/a/b/mine';
      const start = (mountPropagation: string): ReturnType<typeof pods.start> => {
        const volumeMounts = [{ name: 'v', mountPath: '/v', mountPropagation }];
        return pods.start([{ line, volumeMounts, securityContext: { privileged: true } }], { volumes });
      };
      await (await start('None')).ended();
      expect(readdirSync(sub)).toEqual([]);
      await (await start('Bidirectional')).ended();
      expect(readdirSync(sub)).toEqual(['mine']);
      umount(sub);
    } finally {
      umount(volume);
    }
  });

  test('cannot be passed on where the host does not', async () => {
    mount('tmpfs', volume, 'size=64k');
    execFileSync('mount', ['--make-private', volume]);
    try {
      const volumeMounts = [{ name: 'v', mountPath: '/v', mountPropagation: 'HostToContainer' }];
      const pod = await pods.start([{ line: 'true', volumeMounts }], { volumes });
      const why = `path "${volume}" is mounted on "${volume}" but it is not a shared or slave mount`;
      const message = `${why} (mount --make-rshared ${volume})`;
      await eventually(() => {
        expect(pod.journal()).toContain(JSON.stringify(message).slice(0, -1));
      });
      expect(pod.journal()).toContain('"reason":"CreateContainerError"');
      await pod.delete();
    } finally {
      umount(volume);
    }
  });
});
