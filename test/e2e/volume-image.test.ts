import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually, useCli } from '../support/cli.ts';
import { layoutTar, tar } from '../support/images.ts';
import { expectNoLeaks } from '../support/leaks.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli('busybox');

const CONTENT = 'volume-content:1';
const SINGLE = 'volume-single:1';

beforeAll(async () => {
  const below = await tar([
    { name: 'model/', type: 'directory', mode: 0o755 },
    { name: 'model/weights', content: 'old\n' },
    { name: 'model/gone', content: 'x\n' },
    { name: 'run.sh', content: '#!/bin/sh\necho ran\n', mode: 0o755 },
    { name: 'way', type: 'symlink', linkname: '/model' },
    { name: 'out', type: 'symlink', linkname: '../../../../etc' },
  ]);
  const above = await tar([
    { name: 'model/weights', content: 'new\n' },
    { name: 'model/.wh.gone', content: '' },
  ]);
  for (const image of [
    { names: [CONTENT], layers: [below, above] },
    { names: [SINGLE], layers: [below] },
  ]) {
    const archive = cli().file('image.tar', '');
    writeFileSync(archive, await layoutTar(image));
    expect(await cli().run('load', '-i', archive)).toMatchObject({ code: 0 });
  }
});

/** A pod of one shell line with an image on /v. */
function podOf(line: string, image: object, mount: object = {}): object {
  const container = {
    name: 'c',
    image: 'busybox',
    imagePullPolicy: 'Never',
    command: ['/bin/sh', '-c', line],
    volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }],
  };
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    containers: [container],
    volumes: [{ name: 'v', image: { pullPolicy: 'Never', ...image } }],
  };
}

describe('an image as a volume', () => {
  test.each([
    ['all layers', { reference: CONTENT }, {}, 'cat /v/model/weights; ls /v/model', 'new\nweights\n'],
    ['its only layer', { reference: SINGLE }, {}, 'cat /v/model/weights; ls /v/model', 'old\ngone\nweights\n'],
    ['a folder of all layers', { reference: CONTENT }, { subPath: 'model' }, 'cat /v/weights; ls /v', 'new\nweights\n'],
    ['a folder behind a link', { reference: CONTENT }, { subPath: 'way' }, 'ls /v', 'weights\n'],
    ['a folder of its only layer', { reference: SINGLE }, { subPath: 'way' }, 'ls /v', 'gone\nweights\n'],
    ['programs', { reference: CONTENT }, {}, '/v/run.sh', 'ran\n'],
    [
      'nothing that can be changed',
      { reference: SINGLE },
      {},
      'echo x >/v/new; echo $?; rm /v/run.sh; echo $?',
      '1\n1\n',
    ],
    ['nothing that can be written again', { reference: SINGLE }, {}, 'mount -o remount,rw /v; echo $?', '1\n'],
  ])('shows %s', async (_, image, mount, line, expected) => {
    const manifest = cli().manifest('shown', podOf(`{ ${line}; } 2>/dev/null`, image, mount));
    expect(await cli().run('run', '-q', '--rm', manifest)).toMatchObject({ stdout: expected });
  });

  test.each([
    ['a file', 'run.sh', 'only directory subpath is supported'],
    ['nothing', 'model/none', 'no such file or directory'],
    ['the host by a link', 'out', 'no such file or directory'],
  ])('is never %s', async (_, subPath, why) => {
    const manifest = cli().manifest('part', podOf('true', { reference: CONTENT }, { subPath }));
    expect(await cli().run('create', '-f', manifest)).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await cli().pod('part')).status).toMatchObject({
        phase: 'Pending',
        containerStatuses: [
          {
            state: {
              waiting: {
                reason: 'CreateContainerError',
                message: `ImageVolumeMountFailed: failed to ensure image subpath "${subPath}" in volume "v" of container "c": ${why}`,
              },
            },
          },
        ],
      });
    });
    expect(await cli().run('delete', 'pod', 'part')).toMatchObject({ code: 0 });
  });

  test('that is not here keeps the container waiting as its own image would', async () => {
    const manifest = cli().manifest('absent', podOf('true', { reference: 'nobody/has-this:1' }));
    expect(await cli().run('create', '-f', manifest)).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await cli().pod('absent')).status).toMatchObject({
        phase: 'Pending',
        containerStatuses: [{ state: { waiting: { reason: 'ErrImageNeverPull' } } }],
      });
    });
    const { stdout } = await cli().run('describe', 'pod', 'absent');
    expect(stdout).toContain('Image (a container image or OCI artifact)');
    expect(stdout).toMatch(/Reference: +nobody\/has-this:1/);
    expect(await cli().run('delete', 'pod', 'absent')).toMatchObject({ code: 0 });
  });
});

describe('a file of variables in a volume', () => {
  const podWith = (line: string, path = 'config.env'): object => {
    const shell = (name: string, command: string): object => ({
      name,
      image: 'busybox',
      imagePullPolicy: 'Never',
      command: ['/bin/sh', '-c', command],
    });
    return {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      initContainers: [{ ...shell('write', line), volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      containers: [
        {
          ...shell('read', 'echo "$A"'),
          env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path, key: 'A' } } }],
        },
      ],
      volumes: [{ name: 'v', emptyDir: {} }],
    };
  };

  test('that an init container wrote is read when the next one starts', async () => {
    const manifest = cli().manifest('file', podWith(`printf "A='from\\na file'\\n" > /v/config.env`));
    expect(await cli().run('run', '-q', '--rm', manifest)).toMatchObject({ stdout: '[read] from\n[read] a file\n' });
  });

  test.each([
    ['is not there', 'true', 'file config.env of volume v is not there'],
    ['leads out of the volume', 'ln -s /etc/passwd /v/config.env', 'file config.env of volume v is not there'],
    ['is a pipe', 'mknod /v/config.env p', "couldn't read env file config.env of volume v"],
    ['says something else', 'echo export A=1 > /v/config.env', "couldn't parse env file: line 1 is not KEY='value'"],
    ['has no such key', `echo "B='1'" > /v/config.env`, "couldn't find key A in file config.env of volume v"],
  ])('that %s keeps the container waiting', async (_, line, message) => {
    const manifest = cli().manifest('bad-file', podWith(line));
    expect(await cli().run('create', '-f', manifest)).toMatchObject({ code: 0 });
    await eventually(async () => {
      const { containerStatuses } = (await cli().pod('bad-file')).status;
      expect(containerStatuses).toMatchObject([
        {
          state: {
            waiting: { reason: 'CreateContainerConfigError', message: expect.stringContaining(message) as string },
          },
        },
      ]);
    });
    expect(await cli().run('delete', 'pod', 'bad-file')).toMatchObject({ code: 0 });
  });
});
