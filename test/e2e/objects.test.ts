import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { secretsFolder } from '../../src/objects/store.ts';
import { type Roots, claimDir } from '../../src/state/paths.ts';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const PASSWORD = 'correct-horse-battery';

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(async () => {
  await victim.clear();
  for (const kind of ['configmaps', 'secrets', 'pvc']) await victim.run('delete', kind, '--all');
});
afterAll(() => victim.remove());

/** Names of minirt's files on a disk, or in memory, that have the password in them, as it is or in base64. */
function filesWithPassword(where: 'disk' | 'memory', { root, state, logs }: Roots): readonly string[] {
  const filter = where === 'disk' ? ['!', '-fstype', 'tmpfs'] : ['-fstype', 'tmpfs'];
  const patterns = ['-e', PASSWORD, '-e', Buffer.from(PASSWORD).toString('base64')];
  const search = ['-type', 'f', '-exec', 'grep', '-laF', ...patterns, '{}', '+'];
  const { stdout } = spawnSync('find', [root, state, logs, ...filter, ...search], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((path) => (path === '' ? [] : [basename(path)]));
}

/** Writes a manifest of these objects and answers its path. */
function manifest(...objects: readonly object[]): string {
  const path = join(victim.roots.state, '..', 'objects.yaml');
  writeFileSync(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  return path;
}

const map = (name: string, data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const secret = (name: string, stringData: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
});
const pod = (name: string, container: object, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'busybox', imagePullPolicy: 'Never', ...container }], ...spec },
});
const sh = (line: string): readonly string[] => ['/bin/sh', '-c', line];
const fromKey = (name: string, key: string): object => ({ configMapKeyRef: { name, key } });

describe('objects', () => {
  test('are created, changed, listed, described and deleted', async () => {
    const path = manifest(map('m', { a: '1' }), secret('s', { password: PASSWORD }));
    expect(await victim.run('create', '-f', path)).toMatchObject({
      code: 0,
      stdout: 'configmap/m created\nsecret/s created\n',
    });
    expect(await victim.run('create', '-f', path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('configmaps "m" already exists') as string,
    });
    expect(await victim.run('apply', '-f', path)).toMatchObject({
      code: 0,
      stdout: 'configmap/m unchanged\nsecret/s unchanged\n',
    });
    manifest(map('m', { a: '2' }));
    expect(await victim.run('apply', '-f', path)).toMatchObject({ code: 0, stdout: 'configmap/m configured\n' });
    expect((await victim.run('get', 'cm')).stdout).toMatch(/^NAME {3}DATA {3}AGE\nm {6}1 {6}\d+s\n$/);
    expect((await victim.run('get', 'secret', 's')).stdout).toMatch(
      /^NAME {3}TYPE {5}DATA {3}AGE\ns {6}Opaque {3}1 {6}\d+s\n$/,
    );
    expect((await victim.run('get', 'configmap', 'm', '-o', 'jsonpath={.data.a}')).stdout).toBe('2');
    const described = await victim.run('describe', 'secret', 's');
    expect(described.stdout).toContain(`password:  ${PASSWORD.length} bytes`);
    expect(described.stdout).not.toContain(PASSWORD);
    expect(await victim.run('get', 'cm', 'none')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error[object.not-found]: configmaps "none" not found') as string,
    });
    expect(await victim.run('delete', 'configmap', 'm')).toMatchObject({
      code: 0,
      stdout: 'configmap "m" deleted from default namespace\n',
    });
    expect((await victim.run('get', 'cm')).stderr).toContain('No resources found in default namespace.');
  });

  test('are claims too, each with a folder of its own that goes with it', async () => {
    const claim = (storage: string, more: object = {}): object => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], resources: { requests: { storage } }, ...more },
    });
    const path = manifest(claim('1Gi'));
    expect(await victim.run('apply', '-f', path)).toMatchObject({ stdout: 'persistentvolumeclaim/data created\n' });
    expect(await victim.run('apply', '-f', path)).toMatchObject({ stdout: 'persistentvolumeclaim/data unchanged\n' });
    const uid = (await victim.run('get', 'pvc', 'data', '-o', 'jsonpath={.metadata.uid}')).stdout;
    const { stdout } = await victim.run('get', 'pvc', '-o', 'wide');
    expect(stdout.replaceAll(/ {2,}/g, '  ').replaceAll(/\d+s/g, 'AGE')).toBe(
      'NAME  STATUS  VOLUME  CAPACITY  ACCESS MODES  STORAGECLASS  VOLUMEATTRIBUTESCLASS  AGE  VOLUMEMODE\n' +
        `data  Bound  pvc-${uid}  1Gi  RWO,ROX  <unset>  AGE  Filesystem\n`,
    );
    expect((await victim.run('describe', 'pvc', 'data')).stdout.split('\n')).toEqual([
      'Name:          data',
      'Namespace:     default',
      'StorageClass:  ',
      'Status:        Bound',
      `Volume:        pvc-${uid}`,
      'Labels:        <none>',
      'Annotations:   <none>',
      'Finalizers:    []',
      'Capacity:      1Gi',
      'Access Modes:  RWO,ROX',
      'VolumeMode:    Filesystem',
      'Used By:       <none>',
      'Events:        <none>',
      '',
    ]);
    manifest(claim('2Gi'));
    expect(await victim.run('apply', '-f', path)).toMatchObject({ stdout: 'persistentvolumeclaim/data configured\n' });
    manifest(claim('2Gi', { storageClassName: 'fast' }));
    expect(await victim.run('apply', '-f', path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"data" is invalid: spec: Forbidden: spec is immutable') as string,
    });
    const data = claimDir(victim.roots, { namespace: 'default', name: 'data' });
    mkdirSync(join(data, 'below'), { recursive: true });
    expect(await victim.run('delete', 'pvc/data')).toMatchObject({
      stdout: 'persistentvolumeclaim "data" deleted from default namespace\n',
    });
    expect(existsSync(data)).toBe(false);
  });

  test('of one name are made once, whoever comes at the same time', async () => {
    const path = manifest(map('m', { a: '1' }));
    const codes = (await Promise.all([1, 2, 3].map(() => victim.run('create', '-f', path)))).map(({ code }) => code);
    expect(codes.toSorted()).toEqual([0, 1, 1]);
  });

  test('that are immutable stay as they are', async () => {
    const fixed = (a: string): object => ({ ...map('m', { a }), immutable: true });
    const path = manifest(fixed('1'));
    await victim.run('apply', '-f', path);
    manifest(fixed('2'));
    expect(await victim.run('apply', '-f', path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('field is immutable') as string,
    });
    expect((await victim.run('get', 'cm', 'm', '-o', 'jsonpath={.data.a}')).stdout).toBe('1');
  });

  test('of which some are wrong are not there at all', async () => {
    const path = manifest(map('m', { a: '1' }), map('Bad', {}));
    expect(await victim.run('apply', '-f', path)).toMatchObject({ code: 2 });
    expect((await victim.run('get', 'cm')).stdout).toBe('');
  });

  test('are readable by root alone, and Secrets are on no disk', async () => {
    await victim.run('apply', '-f', manifest(map('m', { a: PASSWORD }), secret('s', { password: PASSWORD })));
    const folder = secretsFolder(victim.roots);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const kept = join(folder, 'secrets/default/s/object.json');
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(readFileSync(kept, 'utf8')).toContain(Buffer.from(PASSWORD).toString('base64'));
    expect(statSync(join(victim.roots.root, 'objects/configmaps/default/m/object.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(victim.roots.root, 'objects'))).toEqual(['configmaps']);
  });
});

describe('a pod', () => {
  test('waits for what it needs, and takes it when it comes', async () => {
    const env = [{ name: 'A', valueFrom: fromKey('late', 'a') }];
    const path = manifest(pod('needy', { env, command: sh('echo "A=$A"; sleep 1000') }));
    expect(await victim.run('create', '-f', path)).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await victim.run('get', 'pods')).stdout).toContain('CreateContainerConfigError');
    });
    expect((await victim.run('events', 'needy')).stdout).toContain('Error: configmap "late" not found');
    manifest(map('late', { b: '1' }));
    await victim.run('apply', '-f', path);
    await eventually(async () => {
      expect((await victim.run('events', 'needy')).stdout).toContain(
        "Error: couldn't find key a in ConfigMap default/late",
      );
    }, 20_000);
    manifest(map('late', { a: 'there' }));
    await victim.run('apply', '-f', path);
    await victim.until('needy', 'running', 20_000);
    await eventually(async () => {
      expect((await victim.run('logs', 'needy')).stdout).toBe('A=there\n');
    });
  });

  test('leaves nothing of its Secrets on a disk, whatever its hooks and probes print, and when they have changed', async () => {
    const hook = (line: string): object => ({ exec: { command: sh(line) } });
    const trap = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
    const { roots } = victim;
    const path = manifest(
      secret('s', { password: PASSWORD }),
      pod('shy', {
        env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } }],
        lifecycle: { postStart: hook('echo "first $P"'), preStop: hook('echo "last $P"') },
        readinessProbe: { ...hook('echo "probe $P"; exit 1'), periodSeconds: 1 },
        command: sh(trap),
      }),
    );
    await victim.run('run', '-d', path);
    manifest(secret('s', { password: 'another-one-by-now' }));
    await victim.run('apply', '-f', path);
    await eventually(async () => {
      expect((await victim.run('logs', 'shy', '--hooks')).stdout).toContain('probe ***');
    });
    expect(await victim.run('exec', 'shy', '--', '/bin/sh', '-c', 'echo $P')).toMatchObject({
      stdout: `${PASSWORD}\n`,
    });
    expect(filesWithPassword('disk', roots)).toEqual([]);
    expect(filesWithPassword('memory', roots)).toContain('process.json');
    await victim.run('delete', 'pod', 'shy');
    expect((await victim.run('logs', 'shy', '--hooks', '--deleted')).stdout).toContain('last ***');
    expect([...filesWithPassword('disk', roots), ...filesWithPassword('memory', roots)]).toEqual([]);
  });

  test('takes variables anew when its container comes again', async () => {
    const env = [{ name: 'A', valueFrom: fromKey('m', 'a') }];
    const path = manifest(map('m', { a: '1' }), pod('again', { env, command: sh('echo "A=$A"; sleep 0.5; exit 1') }));
    await victim.run('apply', '-f', path);
    await victim.until('again', 'running');
    manifest(map('m', { a: '2' }));
    await victim.run('apply', '-f', path);
    await eventually(async () => {
      expect((await victim.container('again')).restartCount).toBeGreaterThan(0);
    });
    await eventually(async () => {
      expect((await victim.run('logs', 'again')).stdout).toBe('A=2\n');
    });
  });

  test('is left alone by apply when it is the same, and replaced only on demand', async () => {
    const path = manifest(pod('p', { command: sh('sleep 1000') }, { terminationGracePeriodSeconds: 1 }));
    expect(await victim.run('apply', '-f', path)).toMatchObject({ code: 0, stdout: 'pod/p created\n' });
    const { uid } = await victim.pod('p');
    expect(await victim.run('apply', '-f', path)).toMatchObject({ code: 0, stdout: 'pod/p unchanged\n' });
    expect((await victim.pod('p')).uid).toBe(uid);
    manifest(pod('p', { command: sh('sleep 2000') }, { terminationGracePeriodSeconds: 1 }));
    expect(await victim.run('apply', '-f', path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--replace') as string,
    });
    expect(await victim.run('apply', '--replace', '-f', path)).toMatchObject({ code: 0, stdout: 'pod/p configured\n' });
    expect((await victim.pod('p')).uid).not.toBe(uid);
  });

  test.each([
    [[], '***'],
    [['--no-mask'], PASSWORD],
  ])('has its Secrets blackened in what hooks and probes print: %j', async (flags, shown) => {
    const hook = { exec: { command: sh('echo "login $P"; echo "$P" | base64') } };
    const lifecycle = { postStart: { exec: { command: sh('echo "first $P"') } }, preStop: hook };
    const readinessProbe = { exec: { command: sh('echo "probe $P"; exit 1') }, periodSeconds: 1 };
    const env = [{ name: 'P', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } }];
    const path = manifest(
      secret('s', { password: PASSWORD }),
      pod('shy', { env, lifecycle, readinessProbe, command: sh("trap 'exit 0' TERM; while :; do sleep 0.05; done") }),
    );
    expect(await victim.run('run', '-d', ...flags, path)).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await victim.run('logs', 'shy', '--hooks')).stdout).toContain(`probe ${shown}`);
    });
    await victim.run('delete', 'pod', 'shy');
    const told = [
      await victim.run('logs', 'shy', '--hooks', '--deleted'),
      await victim.run('describe', 'pod', 'shy', '--deleted'),
      await victim.run('events', 'shy', '--deleted', '-o', 'json'),
    ].map(({ stdout }) => stdout);
    expect(told.join('')).toContain(`login ${shown}`);
    expect(told.join('').includes(PASSWORD)).toBe(shown === PASSWORD);
    expect(told.join('').includes(Buffer.from(`${PASSWORD}\n`).toString('base64').slice(0, 20))).toBe(
      shown === PASSWORD,
    );
  });
});
