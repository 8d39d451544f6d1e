import { beforeAll, describe, expect, test } from 'vitest';
import { eventually, useCli } from '../support/cli.ts';

const cli = useCli('busybox');

const sh = (name: string, line: string, more: object = {}) => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/sh', '-c', line],
  ...more,
});
const server = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const exec = (line: string) => ({ exec: { command: ['/bin/sh', '-c', line] } });
/** An init container, a sidecar, and a main container that is ready while `/tmp/ready` is there. */
const full = {
  restartPolicy: 'Never',
  terminationGracePeriodSeconds: 5,
  initContainers: [sh('i', 'echo first'), sh('s', `echo beside; ${server}`, { restartPolicy: 'Always' })],
  containers: [
    sh('c', `echo main; ${server}`, { readinessProbe: { ...exec('ls /tmp/ready'), periodSeconds: 1 } }),
    sh('d', server),
  ],
};

async function jsonpath(name: string, template: string): Promise<string> {
  return (await cli().run('get', 'pod', name, '-o', `jsonpath=${template}`)).stdout;
}

describe('a pod with an init container, a sidecar and a probe', () => {
  beforeAll(async () => {
    const started = await cli().run('run', '-d', cli().manifest('full', full, { labels: { app: 'full' } }));
    expect(started).toMatchObject({ code: 0, stdout: 'pod/full started\n' });
  });

  test('counts its sidecar', async () => {
    await eventually(async () => {
      expect((await cli().run('logs', 'full', '--hooks')).stdout).toMatch(/^\[c readiness\] ls: \/tmp\/ready: No such/);
    });
    expect((await cli().run('get', 'pod', 'full')).stdout).toMatch(/full +2\/3 +Running +0 /);
    await cli().run('exec', 'full', '-c', 'c', '--', 'touch', '/tmp/ready');
    await eventually(async () => {
      expect(await jsonpath('full', '{.status.conditions[?(@.type=="Ready")].status}')).toBe('True');
    });
    expect((await cli().run('get', 'pod', 'full')).stdout).toMatch(/full +3\/3 +Running +0 /);
  });

  test('has every container in exec and logs, and names them as kubectl does', async () => {
    const said = 'Defaulted container "c" out of: c, d, i (init), s (init)\n';
    expect(await cli().run('exec', 'full', '--', 'true')).toEqual({ code: 0, stdout: '', stderr: said });
    expect(await cli().run('logs', 'full')).toEqual({ code: 0, stdout: 'main\n', stderr: said });
    expect((await cli().run('logs', 'full', '-c', 'i')).stdout).toBe('first\n');
    expect((await cli().run('exec', 'full', '-c', 's', '--', 'echo', 'x')).stdout).toBe('x\n');
    expect((await cli().run('logs', 'full', '--all-containers', '--prefix')).stdout).toBe(
      '[pod/full/i] first\n[pod/full/s] beside\n[pod/full/c] main\n',
    );
    expect((await cli().run('exec', 'full', '-c', 'x', '--', 'true')).stderr).toContain(
      'container x is not valid for pod full out of: c, d, i (init), s (init)',
    );
  });

  test('describes the failed probe', async () => {
    expect((await cli().run('logs', 'full', '--hooks', '--tail', '1', '-c', 's')).stdout).toBe('');
    expect((await cli().run('describe', 'pod', 'full')).stdout).toMatch(
      /Init Containers:\n {2}i:\n[^]*Readiness: +exec \[\/bin\/sh -c ls \/tmp\/ready\] delay=0s timeout=1s period=1s [^]*Failed Probe: +readiness exec exit 1 in /,
    );
  });

  test('has events that say which container they are about', async () => {
    const { stdout } = await cli().run('get', 'events', '-o', 'json', '--field-selector', 'involvedObject.name=full');
    const { items } = JSON.parse(stdout) as { items: { reason: string; involvedObject: { fieldPath: string } }[] };
    const started = items.filter(({ reason }) => reason === 'Started');
    expect(started.map(({ involvedObject }) => involvedObject.fieldPath)).toEqual([
      'spec.initContainers{i}',
      'spec.initContainers{s}',
      'spec.containers{c}',
      'spec.containers{d}',
    ]);
  });

  test('is selected by its fields', async () => {
    const names = async (...args: string[]): Promise<string> =>
      (await cli().run('get', 'pods', '-o', 'name', ...args)).stdout;
    expect(await names('--field-selector', 'status.phase=Running', '-l', 'app=full')).toBe('pod/full\n');
    expect(await names('--field-selector', 'status.phase!=Running,metadata.name=full')).toBe('');
  });

  test('can be read about once it is deleted', async () => {
    expect((await cli().run('delete', 'pod', 'full')).stderr).toMatch(
      /^i: had already ended with exit code 0\ns: SIGTERM, exited 0 with .*\nc: SIGTERM, exited 0 with .*\nd: /,
    );
    expect((await cli().run('logs', 'full')).stderr).toContain('pods "full" not found in namespace "default"');
    expect((await cli().run('logs', 'full', '--deleted', '-c', 'i')).stdout).toBe('first\n');
    expect((await cli().run('events', 'full', '--deleted')).stdout).toMatch(
      /Killing +pod\/full +Stopping container s\n/,
    );
    expect((await cli().run('describe', 'pod', 'full', '--deleted')).stdout).toMatch(
      /^Name: +full\n[^]*Status: +Succeeded\n/,
    );
  });
});

describe('a foreground run', () => {
  test('ends with the code of its main container, and tells of failed probes', async () => {
    const main = sh('c', 'sleep 1.5; exit 3', { livenessProbe: { ...exec('echo ill; exit 1'), failureThreshold: 9 } });
    const spec = { restartPolicy: 'Never', initContainers: [sh('i', 'echo first')], containers: [main] };
    const { code, stdout, stderr } = await cli().run('run', '--rm', cli().manifest('fails', spec));
    expect(code).toBe(3);
    expect(stdout).toBe('[i] first\n');
    expect(stderr).toMatch(/^c: liveness probe exec exit 1 in \d+\.\d s: ill$/m);
    expect(stderr).not.toMatch(/Unhealthy/);
  });

  test('of which an init container fails', async () => {
    const spec = { restartPolicy: 'Never', initContainers: [sh('i', 'exit 3')], containers: [sh('c', 'true')] };
    const file = cli().manifest('init-fails', spec);
    expect((await cli().run('run', '--rm', file)).code).toBe(1);
    const detached = await cli().run('run', '-d', file);
    expect(detached.code).toBe(1);
    expect(detached.stderr).toMatch(/start pod: init-fails: container i: Error \(exit code 3\)/);
    await eventually(async () => {
      expect((await cli().run('get', 'pod', 'init-fails')).stdout).toMatch(/init-fails +0\/1 +Init:Error +0 /);
    });
    expect((await cli().run('logs', 'init-fails')).stderr).toContain(
      'container "c" in pod "init-fails" is waiting to start: PodInitializing',
    );
    await cli().run('delete', 'pod', 'init-fails');
  });
});

describe('watching all namespaces', () => {
  const watched = (args: readonly string[]) => cli().start(['get', 'pods', '-A', '-w', '-l', 'app=far', ...args]);

  test('in every form, from before there is any', async () => {
    const [rows, names, yaml, phases] = [
      watched([]),
      watched(['-o', 'name']),
      watched(['-o', 'yaml']),
      watched(['-o', 'jsonpath={.status.phase} ']),
    ];
    const events = cli().start(['events', '-n', 'far', '-w']);
    const spec = { restartPolicy: 'Never', initContainers: [sh('i', 'true')], containers: [sh('c', 'true')] };
    const file = cli().manifest('away', spec, { labels: { app: 'far' } });
    expect(await cli().run('create', '-n', 'far', '-f', file)).toMatchObject({ code: 0 });
    await rows.says(/far +away +0\/1 +Completed/);
    await names.says(/pod\/away\n/);
    await yaml.says(/phase: Succeeded/);
    await phases.says(/Pending .*Succeeded/);
    await events.says(/pod\/away +Container started/);
    for (const call of [rows, names, yaml, phases, events]) {
      call.kill('SIGINT');
      expect(await call.done).toMatchObject({ code: 130 });
    }
    expect(rows.stdout).toMatch(/^NAMESPACE +NAME +READY[^]*\nfar +away +0\/1 +(Init:0\/1|PodInitializing)/);
    expect(yaml.stdout.split('\n---\n').length).toBeGreaterThan(2);
    expect(events.stdout).toMatch(/^LAST SEEN +TYPE +REASON/);
    await cli().run('delete', 'pod', '-n', 'far', 'away');
  });
});
