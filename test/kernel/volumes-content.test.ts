import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import { readMountinfo } from '../../src/sys/mountinfo.ts';

const pods = useHostPods();

beforeAll(async () => {
  await pods.configMap('cm', { one: '1', multi: 'a\nb\n' }, { bin: 'AP8K' });
  await pods.secret('sec', { user: 'root', pass: 's3cret' });
});

/** Runs a shell line with a volume of this source on /v. */
async function said(line: string, source: object, more: object = {}): Promise<string> {
  const volumeMounts = [{ name: 'v', mountPath: '/v', ...more }];
  const pod = await pods.start([{ line, volumeMounts }], { volumes: [{ name: 'v', ...source }] });
  await pod.ended();
  return pod.log();
}

/** Of volumes: what else a pod has in memory is not theirs. */
const memoryMounts = (): readonly string[] =>
  readMountinfo()
    .map(({ mountPoint, type }) => `${type} ${mountPoint}`)
    .filter((line) => line.includes(join(pods.roots.state, 'm')) && line.startsWith('tmpfs'))
    .filter((line) => !/\/\.(etc|execs|shm)$/.test(line));

/** Files of minirt's, but for logs and what is in memory, in which a text is. */
function filesWith(text: string): readonly string[] {
  const { root, state } = pods.roots;
  const found = spawnSync('grep', ['-rlF', '--exclude-dir=m', text, root, state], { encoding: 'utf8' });
  return found.stdout.split('\n').filter((path) => path !== '');
}

describe('a configMap', () => {
  test('is a file for each key, by way of links that a kubelet makes', async () => {
    const line =
      "cd /v; ls -A; readlink one; readlink ..data; cat one; echo; od -An -tx1 bin | tr -d ' '; stat -Lc %a one";
    expect((await said(line, { configMap: { name: 'cm' } })).replace(/\.\.\d{4}(_\d\d){5}\.\d+/g, 'DATED')).toBe(
      ['DATED', '..data', 'bin', 'multi', 'one', '..data/one', 'DATED', '1', '00ff0a', '644', ''].join('\n'),
    );
  });

  test('puts chosen keys where they are wanted, with modes of their own', async () => {
    const items = [
      { key: 'one', path: 'sub/deep/renamed', mode: 0o600 },
      { key: 'one', path: 'again' },
    ];
    const line = "cd /v; find . -name '..2*' -prune -o -print | sort; stat -Lc '%a %n' sub/deep/renamed again sub";
    expect(await said(line, { configMap: { name: 'cm', items, defaultMode: 0o440 } })).toBe(
      ['.', './..data', './again', './sub', '600 sub/deep/renamed', '440 again', '755 sub', ''].join('\n'),
    );
  });

  test('is read-only, whatever the mount says', async () => {
    expect(await said('touch /v/x 2>&1; rm -f /v/one 2>&1', { configMap: { name: 'cm' } }, { readOnly: false })).toBe(
      "touch: /v/x: Read-only file system\nrm: can't remove '/v/one': Read-only file system\n",
    );
  });

  test('that is optional may be missing, and so may a key of it', async () => {
    const optional = true;
    expect(await said('ls /v; ls -d /v/..data', { configMap: { name: 'none', optional } })).toBe('/v/..data\n');
    const items = [
      { key: 'none', path: 'none' },
      { key: 'one', path: 'one' },
    ];
    expect(await said('ls /v', { configMap: { name: 'cm', optional, items } })).toBe('one\n');
  });
});

describe('what may hold a Secret is in memory', () => {
  test.each([
    ['a secret', { secret: { secretName: 'sec' } }, 'pass user', 1],
    ['a projected volume', { projected: { sources: [{ configMap: { name: 'cm' } }] } }, 'bin multi one', 1],
    [
      'a downwardAPI',
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      'name',
      1,
    ],
    ['a configMap is not', { configMap: { name: 'cm' } }, 'bin multi one', 0],
  ])('%s', async (_, source, names, mounted) => {
    const volumes = [{ name: 'v', ...source }];
    const line = 'stat -fc %T /v; echo $(ls /v); grep " /v " /proc/mounts | cut -d" " -f4 | cut -d, -f1; sleep 1000';
    const pod = await pods.start([{ line, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], { volumes });
    await eventually(() => {
      expect(pod.log().split('\n').slice(1)).toEqual([names, 'ro', '']);
    });
    expect(pod.log().startsWith('tmpfs\n')).toBe(mounted === 1);
    expect(memoryMounts()).toHaveLength(mounted);
    await pod.delete();
    expect(memoryMounts()).toEqual([]);
  });

  test('and is written nowhere else', async () => {
    const pod = await pods.start(
      [{ line: 'cat /v/pass; echo; sleep 1000', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      {
        volumes: [{ name: 'v', secret: { secretName: 'sec' } }],
      },
    );
    await eventually(() => {
      expect(pod.log()).toContain('s3cret');
    });
    expect(filesWith('s3cret')).toEqual([]);
    await pod.delete();
  });
});

test('a secret may have modes of its own', async () => {
  const secret = { secretName: 'sec', defaultMode: 0o400, items: [{ key: 'user', path: 'u', mode: 0o444 }] };
  expect(await said('stat -Lc "%a %u:%g" /v/u; cat /v/u; echo', { secret })).toBe('444 0:0\nroot\n');
});

test('a projected volume has files from everywhere', async () => {
  const items = [
    { path: 'pod/labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'pod/one', mode: 0o400, fieldRef: { fieldPath: "metadata.annotations['x']" } },
    { path: 'pod/cpu', resourceFieldRef: { containerName: 'c', resource: 'requests.cpu', divisor: '1m' } },
  ];
  const projected = {
    sources: [
      { configMap: { name: 'cm', items: [{ key: 'one', path: 'a/one' }] } },
      { secret: { name: 'sec' } },
      { downwardAPI: { items } },
      { secret: { name: 'none', optional: true } },
    ],
  };
  const line = 'cd /v; ls; cat a/one user pod/labels pod/cpu; stat -Lc " %a" pod/one user';
  expect(await said(line, { projected })).toBe('a\npass\npod\nuser\n1root0 400\n 644\n');
});

describe('what is missing', () => {
  test.each([
    ['a ConfigMap', { configMap: { name: 'none' } }, 'configmap "none" not found'],
    [
      'a key of a ConfigMap',
      { configMap: { name: 'cm', items: [{ key: 'none', path: 'x' }] } },
      'configmap references non-existent config key: none',
    ],
    ['a Secret', { secret: { secretName: 'none' } }, 'secret "none" not found'],
    [
      'a key of a Secret',
      { secret: { secretName: 'sec', items: [{ key: 'none', path: 'x' }] } },
      'references non-existent secret key: none',
    ],
    ['a source', { projected: { sources: [{ secret: { name: 'none' } }] } }, 'secret "none" not found'],
    [
      'a container',
      { downwardAPI: { items: [{ path: 'x', resourceFieldRef: { containerName: 'z', resource: 'limits.cpu' } }] } },
      'container z not found',
    ],
  ])('keeps the pod waiting: %s', async (_, source, text) => {
    const volumes = [{ name: 'v', ...source }];
    const pod = await pods.start([{ line: 'true', volumeMounts: [{ name: 'v', mountPath: '/v' }] }], { volumes });
    const message = `MountVolume.SetUp failed for volume "v" : ${text}`;
    await eventually(() => {
      expect(pod.journal()).toContain(JSON.stringify(message));
    });
    expect(pod.journal()).not.toContain('Sandbox');
    await pod.delete();
    expect(memoryMounts()).toEqual([]);
  });

  test('is mounted as soon as it comes', async () => {
    const volumes = [{ name: 'v', secret: { secretName: 'late' } }];
    const pod = await pods.start([{ line: 'cat /v/k; echo', volumeMounts: [{ name: 'v', mountPath: '/v' }] }], {
      volumes,
    });
    await eventually(() => {
      expect(pod.journal()).toContain('secret \\"late\\" not found');
    });
    await pods.secret('late', { k: 'came' });
    await pod.ended();
    expect(pod.log()).toBe('came\n');
  });
});

describe('an object that changes', () => {
  const volumes = [
    { name: 'v', configMap: { name: 'live' } },
    { name: 's', secret: { secretName: 'alive' } },
  ];
  const mounts = [
    { name: 'v', mountPath: '/v' },
    { name: 's', mountPath: '/s' },
    { name: 'v', mountPath: '/part', subPath: 'k' },
  ];
  // Reads both files of one state again and again: they must always agree.
  const line = `while :; do d=$(readlink /v/..data); a=$(cat /v/$d/k); b=$(cat /v/$d/l); [ "$a" = "$b" ] || [ ! -e /v/$d ] || echo torn
    now="$(cat /v/k) $(cat /s/k) $(cat /part) $(echo $(ls /v))"; [ "$now" = "$was" ] || echo "$now"; was=$now; sleep 0.02; done`;

  async function put(value: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    await pods.configMap('live', { k: value, l: value, ...more });
    await pods.secret('alive', { k: value });
  }

  test('is seen in place, all at once, but for a part that was mounted; also by the next owner', async () => {
    await put('1', { old: 'x' });
    const pod = await pods.start([{ line, volumeMounts: mounts }], { volumes });
    const settled = async (now: string): Promise<void> => {
      await eventually(() => {
        expect(pod.log().trim().split('\n').at(-1)).toBe(now);
      });
      expect(pod.log()).not.toContain('torn');
    };
    await settled('1 1 1 k l old');
    await put('2', { new: 'x' });
    await settled('2 2 1 k l new');
    await pods.reopen();
    await put('3');
    const taken = await pods.take(pod.view);
    await settled('3 3 1 k l');
    const folder = pod.volume('v');
    expect(readdirSync(folder).filter((name) => name.startsWith('..'))).toHaveLength(2);
    await taken.delete();
    expect(memoryMounts()).toEqual([]);
  });

  test('and goes away leaves its last files, and is told of', async () => {
    await put('1');
    const pod = await pods.start([{ line, volumeMounts: mounts }], { volumes });
    await eventually(() => {
      expect(pod.log()).toContain('1 1 1');
    });
    await pods.objects.remove('ConfigMap', 'default', 'live');
    await eventually(() => {
      expect(pod.journal()).toContain('MountVolume.SetUp failed for volume \\"v\\" : configmap \\"live\\" not found');
    });
    expect(readFileSync(join(pod.volume('v'), 'k'), 'utf8')).toBe('1');
    await put('2');
    await eventually(() => {
      expect(pod.log()).toContain('2 2 1');
    });
    await pod.delete();
  });

  test('writes whole what a writer that died left half done', async () => {
    await put('1');
    const pod = await pods.start([{ line, volumeMounts: mounts }], { volumes }, ({ paths }) => {
      const folder = join(paths.bulk, 'volumes', 'v');
      mkdirSync(join(folder, '..2001_01_01_00_00_00.1'), { recursive: true });
      writeFileSync(join(folder, '..2001_01_01_00_00_00.1', 'k'), 'half');
    });
    await eventually(() => {
      expect(pod.log()).toContain('1 1 1 k l');
    });
    expect(readdirSync(pod.volume('v')).filter((name) => name.startsWith('..'))).toHaveLength(2);
    await pod.delete();
  });
});
