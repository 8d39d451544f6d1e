import { expect, test } from 'vitest';
import { containerSpec } from '../../../src/pod/spec.ts';
import { volumeMounts } from '../../../src/pod/volumes/index.ts';
import { aContainer, aPod } from '../../support/pods.ts';

const managed = ['/etc/hosts', '/etc/resolv.conf', '/etc/hostname', '/dev/termination-log'];

/** Targets of a container's mounts, in the order in which they are made. */
async function targets(
  mountPaths: readonly string[],
  terminationMessagePath = '/dev/termination-log',
): Promise<readonly string[]> {
  const container = aContainer({
    terminationMessagePath,
    volumeMounts: mountPaths.map((mountPath) => ({ name: 'v', mountPath, readOnly: false })),
  });
  const pod = { ...aPod({ containers: [container] }), volumes: [{ kind: 'emptyDir', name: 'v' } as const] };
  const spec = containerSpec({
    pod,
    container,
    image: { entrypoint: [], cmd: [], env: [], workingDir: '' },
    user: { uid: 0, gid: 0, groups: [], home: '/' },
    env: [],
    id: '0'.repeat(64),
    uid: 'u',
    rootfs: { store: '/store', layers: ['l'] },
    namespaces: { net: 'host', ipc: 'host', uts: 'host' },
    log: '/log',
    volumes: await volumeMounts(pod, container, { bulk: '/bulk' }),
    files: { hosts: '/h', resolvConf: '/r', hostname: '/n', terminationLog: '/t' },
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
  expect(await targets(['/v'], '/v/log/message')).toEqual(['/v', ...managed.slice(0, 3), '/v/log/message']);
});

test('a mount names the host folder of its volume, and whether it is read-only', async () => {
  const container = aContainer({ volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }] });
  const pod = { ...aPod({ containers: [container] }), volumes: [{ kind: 'emptyDir', name: 'v' } as const] };
  expect(await volumeMounts(pod, container, { bulk: '/bulk' })).toEqual([
    { kind: 'bind', source: '/bulk/volumes/v', target: '/v', flags: ['rec', 'ro', 'rprivate'] },
  ]);
});
