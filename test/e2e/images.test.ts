import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { supervisorSocket } from '../../src/state/paths.ts';
import { type Result, eventually, useCli } from '../support/cli.ts';
import { layoutTar, tar } from '../support/images.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { skopeo } from '../support/skopeo.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli();

describe('images', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync('/tmp/mri-');
  });
  afterEach(async () => {
    await minirt('delete', 'pods', '--all', '-A', '--now');
    await eventually(() => {
      expect(existsSync(supervisorSocket(cli().roots))).toBe(false);
    });
    rmSync(dir, { recursive: true, force: true });
  });

  /** With a store of its own for each test. */
  function minirt(...args: readonly string[]): Promise<Result> {
    return cli().run('--root', join(dir, 'root'), ...args);
  }

  async function ok(...args: readonly string[]): Promise<string> {
    const result = await minirt(...args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return result.stdout;
  }

  /** An image that can run: the host's static busybox and a file that makes it itself. */
  async function load(mark: string, ...names: readonly string[]): Promise<Result> {
    const base = await tar([
      { name: 'bin/', mode: 0o755 },
      { name: 'bin/sh', content: readFileSync('/bin/busybox'), mode: 0o755 },
      ...['etc/', 'proc/', 'sys/', 'dev/', 'tmp/'].map((name) => ({ name })),
    ]);
    const own = await tar([{ name: 'mark', content: mark }]);
    const path = join(dir, `${mark}.tar`);
    writeFileSync(path, await layoutTar({ layers: [base, own], names, gzip: true }));
    return minirt('load', '-i', path);
  }

  async function idOf(name: string): Promise<string> {
    const [image] = JSON.parse(await ok('inspect', name)) as [{ Id: string }];
    return image.Id;
  }

  /** What is in the store: blobs and unpacked layers. */
  function contents(): { blobs: number; layers: number; chains: number; ingest: number } {
    const count = (...path: string[]): number => readdirSync(join(dir, 'root', ...path)).length;
    const layers = readdirSync(join(dir, 'root/layers')).filter((name) => /^[0-9a-f]{12}$/.test(name)).length;
    return { blobs: count('blobs', 'sha256'), layers, chains: count('layers', 'chains'), ingest: count('ingest') };
  }

  function pod(name: string, image: string, line: string): string {
    const container = { name: 'c', image, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line] };
    return cli().manifest(name, { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [container] });
  }

  test('names come and go, and never from one image to another in silence', async () => {
    await load('one', 'app:1');
    const one = await idOf('app:1');
    expect(await ok('tag', 'app:1', 'localhost:5000/team/app')).toBe('');
    expect(await ok('tag', one.slice(7, 19), 'app:again')).toBe('');
    expect(await load('two', 'app:1')).toEqual({
      code: 0,
      stdout: 'docker.io/library/app:1\n',
      stderr: `docker.io/library/app:1: replaced, it was image ${one.slice(7, 19)}\n`,
    });
    expect((await minirt('tag', 'app:1', 'app:again')).stderr).toContain('docker.io/library/app:again: replaced');
    expect(await idOf('localhost:5000/team/app')).toBe(one);
    expect(await ok('rmi', 'app:again')).toBe('Untagged: docker.io/library/app:again\n');
    expect(await ok('rmi', 'localhost:5000/team/app')).toBe(
      `Untagged: localhost:5000/team/app:latest\nDeleted: ${one}\n`,
    );
    expect(await minirt('inspect', 'localhost:5000/team/app')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No such image') as string,
    });
    expect(contents()).toEqual({ blobs: 4, layers: 2, chains: 2, ingest: 0 });
    await ok('rmi', 'app:1');
    expect(contents()).toEqual({ blobs: 0, layers: 0, chains: 0, ingest: 0 });
    expect(await ok('images', '-q')).toBe('');
  });

  test('an id with several names is not removed by chance, nor one that begins like another', async () => {
    await load('one', 'a', 'b');
    const id = await idOf('a');
    expect(await minirt('rmi', id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('must be forced') as string,
    });
    expect(await minirt('rmi', 'nothing', 'a')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('a:latest') as string,
    });
    expect(await ok('rmi', '-f', id.slice(7, 15))).toBe(`Untagged: docker.io/library/b:latest\nDeleted: ${id}\n`);
  });

  test('images of one id that are packed differently lose their names and go each for itself', async () => {
    const layers = [await tar([{ name: 'a', content: 'a' }])];
    for (const gzip of [true, false]) {
      const path = join(dir, `${gzip}.tar`);
      writeFileSync(path, await layoutTar({ layers, names: [gzip ? 'packed' : 'plain'], gzip }));
      await ok('load', '-i', path);
    }
    expect(await idOf('packed')).toBe(await idOf('plain'));
    const name = 'docker.io/library/plain:latest';
    expect(await ok('rmi', 'plain')).toContain(`Untagged: ${name}`);
    expect(await minirt('inspect', 'plain')).toMatchObject({ code: 1 });
    expect(await ok('rmi', 'packed')).toContain('Untagged: docker.io/library/packed:latest');
    expect(contents()).toMatchObject({ blobs: 0, layers: 0 });
  });

  test('a running pod keeps its image, an ended one until it is forced', async () => {
    await load('one', 'app', 'other');
    const id = await idOf('app');
    await ok('run', '-d', '-q', pod('user', 'app', 'read line < /dev/zero; while :; do :; done'));
    for (const word of ['app', id, '-f'])
      expect(await minirt('rmi', ...(word === '-f' ? ['-f', id] : [word]))).toMatchObject({ code: 1 });
    const refusal = await minirt('rmi', '-f', id);
    expect(refusal.stderr).toContain('conflict (cannot be forced): it is used by running pod default/user');
    expect(await ok('rmi', 'other')).toBe('Untagged: docker.io/library/other:latest\n');
    await load('two', 'app');
    expect((await minirt('prune', '-a')).stdout).not.toContain(id);
    expect((await minirt('exec', 'user', '--', '/bin/sh', '-c', 'read x < /mark; echo $x')).stdout).toBe('one\n');
    await minirt('stop', 'pod', 'user', '--grace-period', '0');
    expect((await minirt('rmi', id)).stderr).toContain('conflict (must be forced): it is used by ended pod');
    expect(await ok('rmi', '-f', id)).toContain(`Deleted: ${id}`);
  });

  test('layers that are mounted anywhere stay, whoever runs them', async () => {
    await load('one', 'app');
    await ok('run', '-d', '-q', pod('hidden', 'app', 'while :; do :; done'));
    const elsewhere = join(dir, 'elsewhere');
    const forced = await cli().run('--root', join(dir, 'root'), '--state', elsewhere, 'rmi', 'app');
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    expect(contents()).toEqual({ blobs: 0, layers: 2, chains: 2, ingest: 0 });
    expect((await minirt('exec', 'hidden', '--', '/bin/sh', '-c', 'read x < /mark; echo $x')).stdout).toBe('one\n');
    expect(await minirt('delete', 'pod', 'hidden', '--now')).toMatchObject({ code: 0 });
    await ok('prune');
    expect(contents()).toEqual({ blobs: 0, layers: 0, chains: 0, ingest: 0 });
  });

  test('prune removes what has no name, what nothing needs, and what is kept of deleted pods', async () => {
    await load('one', 'app');
    const one = await idOf('app');
    await load('two', 'app');
    writeFileSync(join(dir, 'root/blobs/sha256', '0'.repeat(64)), 'left behind');
    expect(await minirt('run', '-q', pod('past', 'app', 'exit 0'))).toMatchObject({ code: 0 });
    expect(await minirt('delete', 'pod', 'past')).toMatchObject({ code: 0 });
    const pruned = await ok('prune');
    expect(pruned).toMatch(new RegExp(`^Forgotten: pod default/past\nDeleted: ${one}\nTotal reclaimed space: .*B\n$`));
    expect((await minirt('logs', '--deleted', 'past')).code).toBe(1);
    expect(contents()).toEqual({ blobs: 4, layers: 2, chains: 2, ingest: 0 });
    expect(await ok('prune', '-a')).toContain('Untagged: docker.io/library/app:latest\n');
    expect(contents()).toEqual({ blobs: 0, layers: 0, chains: 0, ingest: 0 });
  });

  test.each(['oci-archive', 'docker-archive'] as const)(
    'save writes a %s that skopeo and load take',
    async (format) => {
      await load('one', 'app:1', 'app:2');
      await load('two', 'other');
      const [one, file] = [await idOf('app:1'), join(dir, 'saved.tar')];
      await ok('save', 'app:1', 'other', '-o', file, '--format', format);
      const name = 'docker.io/library/app:1';
      const config = skopeo('inspect', '--config', '--raw', `${format}:${file}:${name}`);
      const [inspected] = JSON.parse(await ok('inspect', 'app:1')) as [{ RootFS: { Layers: string[] } }];
      expect((JSON.parse(config) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids).toEqual(
        inspected.RootFS.Layers,
      );
      skopeo('copy', `${format}:${file}:${name}`, `dir:${dir}/copied`);
      const again = await cli().run('--root', join(dir, 'second'), 'load', '-i', file);
      expect(again).toMatchObject({ code: 0, stdout: `${name}\ndocker.io/library/other:latest\n`, stderr: '' });
      expect((await cli().run('--root', join(dir, 'second'), 'inspect', 'app:1')).stdout).toContain(one);
      const before = readFileSync(file);
      await ok('save', 'app:1', 'other', '-o', file, '--format', format);
      expect(before.equals(readFileSync(file))).toBe(true);
      expect(await minirt('save', 'nothing', '-o', join(dir, 'no.tar'))).toMatchObject({ code: 1 });
      expect(existsSync(join(dir, 'no.tar'))).toBe(false);
      expect(statSync(file).size % 512).toBe(0);
    },
  );

  test('inspect has the form of docker', async () => {
    await load('one', 'app');
    const [image] = JSON.parse(await ok('inspect', 'app')) as [Record<string, unknown>];
    expect(image).toMatchObject({
      RepoTags: ['docker.io/library/app:latest'],
      RepoDigests: [expect.stringMatching(/^docker\.io\/library\/app@sha256:[0-9a-f]{64}$/)],
      Os: 'linux',
      Config: { Cmd: ['sh'] },
      RootFS: { Type: 'layers', Layers: [expect.any(String), expect.any(String)] },
    });
  });

  test('skopeo reads the store itself', async () => {
    await load('one', 'app');
    const raw = skopeo('inspect', '--raw', `oci:${join(dir, 'root')}:docker.io/library/app:latest`);
    expect((JSON.parse(raw) as { layers: unknown[] }).layers).toHaveLength(2);
  });
});
