import { describe, expect, test } from 'vitest';
import type { EnvVar } from '../../../src/manifest/pod.ts';
import type { VolumeMount } from '../../../src/manifest/volume.ts';
import { containerSpec } from '../../../src/pod/spec.ts';
import { volumeMounts } from '../../../src/pod/volumes/index.ts';
import { aContainer, aPod, aVolumeMount, anEmptyDir } from '../../support/pods.ts';

const images = new Map([['app:1', { store: '/store', layers: ['b', 'a'] }]]);
const sources = {
  bulk: '/bulk',
  memory: '/memory',
  claims: '/claims',
  rootfs: (reference: string) => Promise.resolve(images.get(reference)),
};
const managed = ['/etc/hosts', '/etc/resolv.conf', '/etc/hostname', '/dev/termination-log', '/dev/shm'];

/** Targets of a container's mounts, in the order in which they are made. */
async function targets(
  mountPaths: readonly string[],
  terminationMessagePath = '/dev/termination-log',
): Promise<readonly string[]> {
  const container = aContainer({
    terminationMessagePath,
    volumeMounts: mountPaths.map((mountPath) => aVolumeMount({ mountPath })),
  });
  const pod = { ...aPod({ containers: [container] }), volumes: [anEmptyDir()] };
  const spec = containerSpec({
    pod,
    container,
    image: { entrypoint: [], cmd: [], env: [], workingDir: '' },
    user: { uid: 0, gid: 0, groups: [], home: '/' },
    users: undefined,
    capabilities: [],
    devices: [],
    env: [],
    id: '0'.repeat(64),
    uid: 'u',
    rootfs: { store: '/store', layers: ['l'] },
    namespaces: { net: 'host', ipc: 'host', uts: 'host' },
    hostname: 'p',
    seccomp: undefined,
    appArmor: undefined,
    log: '/log',
    memory: 2 ** 34,
    volumes: await volumeMounts({ pod, container, sources, env: [] }),
    files: { hosts: '/h', resolvConf: '/r', hostname: '/n', terminationLog: '/t', shm: '/s' },
  });
  return spec.mounts.map(({ target }) => target);
}

test.each([
  ['volumes come with the files that minirt makes', ['/v'], ['/v', ...managed]],
  ['an inner one comes after the outer one', ['/a/b/c', '/a/b', '/a'], ['/a', '/a/b', ...managed, '/a/b/c']],
  ['a longer name is not further in', ['/a/b', '/a-long-name'], ['/a-long-name', '/a/b', ...managed]],
  ['files are made in a volume that holds their folder', ['/etc'], ['/etc', ...managed]],
  ['a volume takes the place of such a file', ['/etc/hosts'], ['/etc/hosts', ...managed.slice(1)]],
  ['the same volume may be in two places', ['/a', '/b'], ['/a', '/b', ...managed]],
])('%s', async (_, mountPaths, expected) => {
  expect(await targets(mountPaths)).toEqual(expected);
});

test('a message file of its own may lie within a volume', async () => {
  expect(await targets(['/v'], '/v/log/message')).toEqual(['/v', ...managed.slice(0, 3), '/dev/shm', '/v/log/message']);
});

describe('a mount', () => {
  const host = '/bulk/volumes/v';

  async function mounted(sketch: Partial<VolumeMount>, env: readonly EnvVar[] = []): Promise<unknown> {
    const container = aContainer({ volumeMounts: [aVolumeMount(sketch)] });
    const pod = { ...aPod({ containers: [container] }), volumes: [anEmptyDir()] };
    return volumeMounts({ pod, container, sources, env });
  }

  test.each<[string, Partial<VolumeMount>, object]>([
    ['names the host folder of its volume', {}, { flags: ['rec', 'rprivate'] }],
    ['says whether it is read-only', { readOnly: true }, { flags: ['rec', 'ro', 'rprivate'] }],
    [
      'says whether all below it is read-only',
      { readOnly: true, recursiveReadOnly: true },
      { flags: ['rec', 'rro', 'rprivate'] },
    ],
    ['may be of a part', { subPath: 'a/b' }, { part: 'a/b', flags: ['rec', 'rprivate'] }],
    [
      'finds its part by variables',
      { subPathExpr: 'x-$(A)/$$(B)' },
      { part: 'x-1/2/$(B)', flags: ['rec', 'rprivate'] },
    ],
  ])('%s', async (_, sketch, expected) => {
    const env = [
      { name: 'A', value: '1/2' },
      { name: 'EMPTY', value: '' },
    ];
    expect(await mounted(sketch, env)).toEqual([{ kind: 'bind', source: host, target: '/v', ...expected }]);
  });

  test.each<[string, Partial<VolumeMount>, object]>([
    ['of an image is of its layers', {}, {}],
    ['of an image may be of a part', { subPath: 'a' }, { part: 'a' }],
  ])('%s', async (_, sketch, expected) => {
    const container = aContainer({ volumeMounts: [aVolumeMount(sketch)] });
    const volume = {
      kind: 'image',
      name: 'v',
      reference: 'app:1',
      pullPolicy: 'Never',
      pullPolicyWritten: true,
    } as const;
    const pod = { ...aPod({ containers: [container] }), volumes: [volume] };
    expect(await volumeMounts({ pod, container, sources, env: [] })).toEqual([
      { kind: 'layers', rootfs: images.get('app:1'), target: '/v', flags: ['ro'], ...expected },
    ]);
  });

  test.each([
    ['$(B)/$(EMPTY)/$(B)/$(A)', 'missing value for A, B, EMPTY'],
    ['$(ABSOLUTE)', 'error SubPath `/etc` must not be an absolute path'],
    ['x/$(UP)', "unable to provision SubPath `x/../..`: must not contain '..'"],
  ])('cannot be of %s', async (subPathExpr, message) => {
    const env = [
      { name: 'EMPTY', value: '' },
      { name: 'ABSOLUTE', value: '/etc' },
      { name: 'UP', value: '../..' },
    ];
    await expect(mounted({ subPathExpr }, env)).rejects.toMatchObject({ code: 'volume.failed', message });
  });
});
