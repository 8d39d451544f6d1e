import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seccompDirs } from '../../src/state/paths.ts';
import { eventually, useCli } from '../support/cli.ts';
import { expectNoLeaks } from '../support/leaks.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli('busybox');

const MODE = 'grep Seccomp: /proc/self/status';
const MAKE = 'mkdir /made 2>&1 && echo made';
const folder = `mrt-test-${process.pid}`;
const below = (): string => join(seccompDirs(cli().roots).profiles, folder);

beforeAll(() => {
  mkdirSync(below(), { recursive: true });
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }],
  };
  writeFileSync(join(below(), 'no-mkdir.json'), JSON.stringify(profile));
  writeFileSync(join(below(), 'broken.json'), JSON.stringify({ ...profile, syscalls: [{ names: ['mkdir'] }] }));
});
afterAll(() => {
  rmSync(below(), { recursive: true, force: true });
});

function podOf(line: string, seccompProfile?: object, more: object = {}): object {
  const container = {
    name: 'c',
    image: 'busybox',
    imagePullPolicy: 'Never',
    command: ['/bin/sh', '-c', line],
    securityContext: { seccompProfile },
    ...more,
  };
  return { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [container] };
}

describe('a container', () => {
  test.each([
    ['is confined when nobody says anything', undefined, 'Seccomp:\t2\nmade\n'],
    ['is confined by RuntimeDefault', { type: 'RuntimeDefault' }, 'Seccomp:\t2\nmade\n'],
    ['is not by Unconfined', { type: 'Unconfined' }, 'Seccomp:\t0\nmade\n'],
    [
      'is by a profile of the host',
      { type: 'Localhost', localhostProfile: `${folder}/no-mkdir.json` },
      "Seccomp:\t2\nmkdir: can't create directory '/made': No space left on device\n",
    ],
  ])('%s', async (_, profile, expected) => {
    const manifest = cli().manifest('confined', podOf(`${MODE}; ${MAKE} || true`, profile));
    expect(await cli().run('run', '-q', '--rm', manifest)).toMatchObject({ code: 0, stdout: expected });
  });

  test('shares its filter with what is executed in it: execs, hooks and probes', async () => {
    const exec = { exec: { command: ['/bin/sh', '-c', MODE] } };
    const spec = podOf('sleep 1000', undefined, {
      lifecycle: { postStart: exec },
      startupProbe: { exec: { command: ['/bin/sh', '-c', `${MODE}; exit 1`] }, failureThreshold: 1000 },
    });
    const manifest = cli().manifest('executed', spec);
    expect(await cli().run('run', '-d', manifest)).toMatchObject({ code: 0 });
    expect(await cli().run('exec', 'executed', '--', '/bin/sh', '-c', MODE)).toMatchObject({ stdout: 'Seccomp:\t2\n' });
    await eventually(async () => {
      const { stdout } = await cli().run('logs', '--hooks', 'executed');
      expect(stdout.match(/Seccomp:\t2/g)?.length).toBeGreaterThan(1);
    });
    expect(await cli().run('delete', 'pod', 'executed')).toMatchObject({ code: 0 });
  });

  const profiles = (): string => seccompDirs(cli().roots).profiles;
  test.each([
    [
      'a profile that is not there',
      `${folder}/none.json`,
      'CreateContainerError',
      () => {
        const file = join(profiles(), folder, 'none.json');
        return `cannot load seccomp profile "${file}": open ${file}: no such file or directory`;
      },
    ],
    [
      'a broken profile',
      `${folder}/broken.json`,
      'CreateContainerError',
      () =>
        `cannot load seccomp profile "${join(profiles(), folder, 'broken.json')}": syscalls[0].action: nothing is no text`,
    ],
    [
      'a profile without a name',
      '',
      'CreateContainerConfigError',
      () => 'localhostProfile must be set if seccompProfile type is Localhost.',
    ],
  ])('with %s waits, and says why', async (_, localhostProfile, reason, message) => {
    const manifest = cli().manifest('waiting', podOf('true', { type: 'Localhost', localhostProfile }));
    expect(await cli().run('create', '-f', manifest)).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await cli().pod('waiting')).status).toMatchObject({
        phase: 'Pending',
        containerStatuses: [{ state: { waiting: { reason, message: message() } } }],
      });
    });
    expect(await cli().run('delete', 'pod', 'waiting')).toMatchObject({ code: 0 });
  });
});
