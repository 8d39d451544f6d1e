/** The form of pods that a cluster asks of those who may do little, through the command line. */
import { describe, expect, test } from 'vitest';
import { eventually, useCli } from '../support/cli.ts';
import { expectNoLeaks } from '../support/leaks.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli('busybox');

const report =
  'echo $(id -u) $(id -g) $(id -G); grep -E "^(CapPrm|CapEff|CapBnd|CapInh|CapAmb|NoNewPrivs):" /proc/self/status';
const reported = [
  '1000 2000 2000 3000 4000',
  'CapInh:\t0000000000000000',
  'CapPrm:\t0000000000000000',
  'CapEff:\t0000000000000000',
  'CapBnd:\t0000000000000000',
  'CapAmb:\t0000000000000000',
  'NoNewPrivs:\t1\n',
].join('\n');

describe('a restricted pod', () => {
  test('confines what is run in it later as it confines its own process', async () => {
    const into = (name: string): object => ({ exec: { command: ['/bin/sh', '-c', `(${report}) >/tmp/${name}`] } });
    const container = {
      name: 'c',
      image: 'busybox',
      imagePullPolicy: 'Never',
      command: ['/bin/sh', '-c', `(${report}) >/tmp/main; trap 'exit 0' TERM; while :; do sleep 0.1; done`],
      lifecycle: { postStart: into('hook') },
      readinessProbe: { ...into('probe'), periodSeconds: 1 },
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      },
    };
    const manifest = cli().manifest('restricted', {
      terminationGracePeriodSeconds: 2,
      securityContext: {
        ...{ runAsUser: 1000, runAsGroup: 2000, runAsNonRoot: true },
        ...{ fsGroup: 3000, supplementalGroups: [4000] },
      },
      containers: [container],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    });
    const inside = async (line: string): Promise<string> =>
      (await cli().run('exec', 'restricted', '--', '/bin/sh', '-c', line)).stdout;

    expect(await cli().run('run', '-d', manifest)).toMatchObject({ code: 0 });
    for (const name of ['main', 'hook', 'probe']) {
      await eventually(async () => {
        expect(await inside(`cat /tmp/${name}`)).toBe(reported);
      });
    }
    expect(await inside(report)).toBe(reported);
    expect(await inside('touch /x 2>&1; stat -c "%u %g %a" /tmp /tmp/main')).toBe(
      'touch: /x: Read-only file system\n0 3000 2777\n1000 3000 644\n',
    );
    const user = { linux: { uid: 1000, gid: 2000, supplementalGroups: [2000, 3000, 4000] } };
    expect((await cli().pod('restricted')).status).toMatchObject({ containerStatuses: [{ ready: true, user }] });
    expect(await cli().run('delete', 'pod', 'restricted')).toMatchObject({ code: 0 });
  });

  test('is not started by an image that would be root, and says so', async () => {
    const container = {
      ...{ name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['true'] },
      securityContext: { runAsNonRoot: true },
    };
    const manifest = cli().manifest('rooted', { containers: [container] });
    const run = await cli().run('run', '-d', manifest);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('container has runAsNonRoot and image will run as root (pod: "rooted_default(');
    expect((await cli().run('get', 'pod', 'rooted')).stdout).toMatch(/rooted +0\/1 +CreateContainerConfigError +0/);
    expect(await cli().run('delete', 'pod', 'rooted', '--now')).toMatchObject({ code: 0 });
  });
});
