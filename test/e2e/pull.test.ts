import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openImageStore } from '../../src/image/store.ts';
import { type Result, useCli } from '../support/cli.ts';
import { tar } from '../support/images.ts';
import { Registry } from '../support/registry.ts';

const cli = useCli();
const never = new AbortController().signal;

describe('images of a registry that wants a password', () => {
  let folder: string;
  let registry: Registry;
  let image: string;

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/mrt-e-');
    const file = join(folder, 'htpasswd');
    execFileSync('htpasswd', ['-Bbc', file, 'alice', 'sesame'], { stdio: 'ignore' });
    registry = await Registry.start({ auth: `auth: {htpasswd: {realm: r, path: ${file}}}` });
    const shell = { name: 'bin/sh', content: readFileSync('/bin/busybox'), mode: 0o755 };
    const layers = [await tar([{ name: 'bin/' }, { name: 'etc/' }, shell])];
    for (const name of ['cli', 'pod']) {
      await registry.push({ layers, gzip: true }, `${name}:1`, ['--dest-creds', 'alice:sesame']);
    }
    image = `${registry.host}/cli:1`;
    mkdirSync(join(folder, 'docker'));
  });
  afterAll(async () => {
    await cli().run('rmi', image, `${registry.host}/pod:1`);
    await registry[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const call = (args: readonly string[], input = ''): Promise<Result> =>
    cli().start(args, { input, env: { DOCKER_CONFIG: join(folder, 'docker') } }).done;

  test('are pulled once one is logged in', async () => {
    const before = await call(['pull', image]);
    expect(before).toMatchObject({ code: 1, stdout: '' });
    expect(before.stderr).toMatch(/^error\[registry\.refused\]: pull access denied: .*\nhint: `minirt login /);
    const wrong = await call(['login', '-u', 'alice', '--password-stdin', registry.host], 'wrong\n');
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    const login = await call(['login', '-u', 'alice', '--password-stdin', registry.host], 'sesame\n');
    expect(login).toEqual({ code: 0, stdout: 'Login Succeeded\n', stderr: '' });
    const pulled = await call(['pull', image]);
    expect(pulled).toMatchObject({ code: 0, stdout: `${image}\n` });
    expect(pulled.stderr).toMatch(/1 layers to bring\n.*: [0-9a-f]{12}: pull complete\nDigest: sha256:[0-9a-f]{64}\n$/);
    expect(await call(['pull', '-q', image])).toEqual({ code: 0, stdout: `${image}\n`, stderr: '' });
    expect((await call(['logout', registry.host])).stdout).toBe(`Removing login credentials for ${registry.host}\n`);
    expect((await call(['logout', registry.host])).stdout).toBe(`Not logged in to ${registry.host}\n`);
    expect(await call(['pull', image])).toMatchObject({ code: 1 });
    expect(await call(['pull', '-q', '--creds', 'alice:sesame', image])).toMatchObject({ code: 0 });
  });

  test('leave nothing half done when the pull is killed, wherever that is', { timeout: 120_000 }, async () => {
    const layers = await Promise.all(['a', 'b', 'c'].map((name) => tar([{ name, content: randomBytes(1 << 20) }])));
    await registry.push({ layers, gzip: true }, 'large:1', ['--dest-creds', 'alice:sesame']);
    const [name, root] = [`${registry.host}/large:1`, join(folder, 'root')];
    const pull = ['--root', root, 'pull', '-q', '--creds', 'alice:sesame', name];
    const began = performance.now();
    expect(await cli().run(...pull)).toMatchObject({ code: 0 });
    const whole = performance.now() - began;
    for (let round = 0; round < 10; round++) {
      rmSync(root, { recursive: true });
      const killed = cli().start(pull);
      await Promise.race([killed.done, new Promise((next) => setTimeout(next, whole * (0.25 + 0.08 * round)))]);
      killed.kill('SIGKILL');
      await killed.done.catch(() => undefined);
      const listed = await cli().run('--root', root, 'images', '-q');
      expect(listed).toMatchObject({ code: 0, stderr: '' });
      // Whole, or not there.
      if (listed.stdout !== '') await openImageStore(root).rootfs(await openImageStore(root).need(name), never);
      expect(await cli().run(...pull)).toMatchObject({ code: 0 });
      expect(await cli().run('--root', root, 'prune')).toMatchObject({ code: 0 });
      expect(readdirSync(join(root, 'blobs/sha256'))).toHaveLength(5);
      expect(readdirSync(join(root, 'layers/chains'))).toHaveLength(3);
      expect(readdirSync(join(root, 'ingest')).filter((one) => !one.startsWith('pull-'))).toEqual([]);
    }
  });

  test('show how far they are on a terminal', async () => {
    const terminal = cli().terminal(['pull', '--creds', 'alice:sesame', image]);
    await terminal.shows(new RegExp(`Digest: sha256:.*${image}`, 's'));
    expect(await terminal.done).toMatchObject({ code: 0 });
  });

  test('are pulled by a pod that names a Secret', async () => {
    const auths = { auths: { [registry.host]: { username: 'alice', password: 'sesame' } } };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'regcred' },
      type: 'kubernetes.io/dockerconfigjson',
    };
    const stringData = { '.dockerconfigjson': JSON.stringify(auths) };
    const file = cli().file('secret.json', JSON.stringify({ ...secret, stringData }));
    expect(await cli().run('apply', '-f', file)).toMatchObject({ code: 0 });
    const spec = {
      restartPolicy: 'Never',
      imagePullSecrets: [{ name: 'nosuch' }, { name: 'regcred' }],
      containers: [{ name: 'c', image: `${registry.host}/pod:1`, command: ['/bin/sh', '-c', 'echo hello'] }],
    };
    const run = await cli().run('run', '--rm', cli().manifest('pulls', spec));
    expect(run).toMatchObject({ code: 0, stdout: 'hello\n' });
    expect(run.stderr).toContain('Unable to retrieve some image pull secrets (nosuch)');
    expect(run.stderr).toContain(`Pulling image "${registry.host}/pod:1"`);
    expect(await cli().run('delete', 'secret', 'regcred')).toMatchObject({ code: 0 });
  });
});
