import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureRecipe } from '../../src/image/recipe.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { helperPath } from '../../src/helper/locate.ts';
import { buildInto } from '../support/exec.ts';
import { layoutFiles, layoutTar, loadBusybox, loadImage, tar } from '../support/images.ts';

const never = new AbortController().signal;
describe('the image store', () => {
  let dir: string;
  let store: ImageStore;

  beforeEach(() => {
    dir = mkdtempSync('/tmp/mi-');
    store = openImageStore(join(dir, 'root'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const stream = (bytes: Buffer): { stream: Readable } => ({ stream: Readable.from([bytes], { objectMode: false }) });
  const layer = (content: string): Promise<Buffer> => tar([{ name: 'id', content }]);

  test('an empty store finds nothing and makes nothing', async () => {
    expect(await store.find('nginx')).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });

  describe('load takes', () => {
    test('a folder, a tar, and a compressed tar', async () => {
      const image = {
        layers: [await layer('1')],
        names: ['app:1', 'quay.io/x/app'],
        gzip: true,
        config: { User: '7', StopSignal: 'SIGQUIT' },
      };
      for (const [name, content] of layoutFiles(image)) {
        mkdirSync(dirname(join(dir, 'layout', name)), { recursive: true });
        writeFileSync(join(dir, 'layout', name), content);
      }
      const archive = await layoutTar(image);
      writeFileSync(join(dir, 'app.tar.gz'), gzipSync(archive));
      const names = ['docker.io/library/app:1', 'quay.io/x/app:latest'];
      expect(await store.load({ path: join(dir, 'layout') }, never)).toEqual(names);
      expect(await store.load({ path: join(dir, 'app.tar.gz') }, never)).toEqual(names);
      expect(await store.load(stream(archive), never)).toEqual(names);
      const found = await store.find('app:1');
      expect(found).toMatchObject({ names, source: 'loaded', config: { user: '7', stopSignal: 'SIGQUIT' } });
      expect(await store.list()).toHaveLength(1);
      for (const name of [`app@${found?.digest}`, `app:other@${found?.digest}`, found?.id ?? '', found?.digest ?? ''])
        expect((await store.find(name))?.id).toBe(found?.id);
      expect(await store.find(`other@${found?.digest}`)).toBeUndefined();
    });

    test('a docker archive', async () => {
      const bottom = await layer('1');
      const config = JSON.stringify({
        config: { Cmd: ['x'] },
        rootfs: {
          diff_ids: [bottom, bottom].map(
            (one) => `sha256:${execFileSync('sha256sum', { input: one, encoding: 'utf8' }).slice(0, 64)}`,
          ),
        },
      });
      const manifest = JSON.stringify([
        { Config: 'abc.json', RepoTags: ['app:2'], Layers: ['a/layer.tar', 'b/layer.tar'] },
      ]);
      const archive = await tar([
        { name: 'a/' },
        { name: 'a/layer.tar', content: bottom },
        { name: 'b/layer.tar', type: 'symlink', linkname: '../a/layer.tar' },
        { name: 'abc.json', content: config },
        { name: 'manifest.json', content: manifest },
      ]);
      expect(await store.load(stream(archive), never)).toEqual(['docker.io/library/app:2']);
      const image = await store.find('app:2');
      expect(image?.config.cmd).toEqual(['x']);
      if (image !== undefined) expect((await store.rootfs(image, never)).layers).toHaveLength(2);
    });
  });

  test('a name that moves leaves the old image in the store, without it', async () => {
    const old = await loadImage(store, { layers: [await layer('old')], names: ['app'] }, never);
    const fresh = await loadImage(store, { layers: [await layer('new')], names: ['app'] }, never);
    expect((await store.find('app'))?.id).toBe(fresh.id);
    expect((await store.find(old.id))?.names).toEqual([]);
  });

  test('import makes an image of a root filesystem; a tar that is cut off is none', async () => {
    const bytes = await layer('imported');
    const config = { cmd: ['run'], env: ['A=b'], stopSignal: 'INT' };
    const image = await store.importRootfs(stream(gzipSync(bytes)), { reference: 'mine', config }, never);
    expect(image).toMatchObject({ names: ['docker.io/library/mine:latest'], source: 'imported', config });
    const { store: layers, layers: names } = await store.rootfs(image, never);
    expect(readFileSync(join(layers, names[0] ?? '', 'id'), 'utf8')).toBe('imported');
    await expect(
      store.importRootfs(stream(bytes.subarray(0, 1024)), { reference: 'half' }, never),
    ).rejects.toMatchObject({
      code: 'image.invalid',
    });
    expect(await store.find('half')).toBeUndefined();
  });

  test('layers that were removed are unpacked again; a blob that was changed is told', async () => {
    const image = await loadImage(store, { layers: [await layer('1')], gzip: true }, never);
    const first = await store.rootfs(image, never);
    rmSync(join(first.store, first.layers[0] ?? ''), { recursive: true });
    const again = await store.rootfs(image, never);
    expect(readFileSync(join(again.store, again.layers[0] ?? '', 'id'), 'utf8')).toBe('1');
    writeFileSync(join(dir, 'root/blobs/sha256', image.digest.slice(7)), '{}');
    await expect(store.rootfs(image, never)).rejects.toMatchObject({ code: 'image.digest-mismatch' });
  });

  test('users of the host cannot reach what is in layers', async () => {
    const image = await loadBusybox(store, never);
    const { store: layers } = await store.rootfs(image, never);
    for (const path of [join(dir, 'root'), layers]) expect(statSync(path).mode & 0o077).toBe(0);
  });

  test('what a killed process left is swept by the next one', async () => {
    await loadImage(store, { layers: [await layer('1')] }, never);
    const ingest = join(dir, 'root/ingest');
    mkdirSync(join(ingest, 'dead/l1/etc'), { recursive: true });
    writeFileSync(join(ingest, 'dead.lock'), '');
    await loadImage(store, { layers: [await layer('2')] }, never);
    expect(readdirSync(ingest)).toEqual([]);
  });

  test('a load that is interrupted leaves nothing', async () => {
    const stop = new AbortController();
    const slow = Readable.from(
      (async function* () {
        yield (await layoutTar({ layers: [await layer('x'.repeat(100_000))] })).subarray(0, 50_000);
        setTimeout(() => {
          stop.abort(new Error('stopped'));
        }, 20);
        await new Promise((resolve) => setTimeout(resolve, 60));
        yield Buffer.alloc(512);
      })(),
      { objectMode: false },
    );
    await expect(store.load({ stream: slow }, stop.signal)).rejects.toThrow();
    expect(readdirSync(join(dir, 'root/ingest'))).toEqual([]);
    expect(await store.list()).toEqual([]);
  });

  test('several loads at once do not lose each other, and the same layer is unpacked once', async () => {
    const shared = await tar([{ name: 'big', content: Buffer.alloc(5_000_000, 1) }]);
    const archives = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) =>
        layoutTar({ layers: [shared, await layer(name)], names: [name, 'same'] }),
      ),
    );
    const stores = archives.map(() => openImageStore(join(dir, 'root')));
    await Promise.all(archives.map(async (archive, at) => stores[at]?.load(stream(archive), never)));
    expect((await store.list()).flatMap(({ names }) => names).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'same'].map((name) => `docker.io/library/${name}:latest`),
    );
    expect(readdirSync(join(dir, 'root/layers/chains'))).toHaveLength(5);
    expect(readdirSync(join(dir, 'root/layers')).filter((name) => /^[0-9a-f]{12}$/.test(name))).toHaveLength(5);
  });

  test('two processes that load the same image at once both succeed', async () => {
    const archive = join(dir, 'same.tar');
    writeFileSync(
      archive,
      await layoutTar({
        layers: [await tar([{ name: 'big', content: Buffer.alloc(20_000_000, 7) }])],
        names: ['same'],
      }),
    );
    const built = buildInto(dir);
    const script = `import { openImageStore } from '${built}/image/store.js';
    const store = openImageStore('${dir}/root');
    await store.load({ path: '${archive}' }, new AbortController().signal);
    const image = await store.find('same');
    console.log(JSON.stringify(await store.rootfs(image, new AbortController().signal)));`;
    const env = { ...process.env, MINIRT_HELPER: helperPath() };
    const outputs = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<string>((resolve, reject) => {
            const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
              cwd: dir,
              env,
              stdio: ['ignore', 'pipe', 'inherit'],
            });
            let output = '';
            child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
            child.on('close', (code) => {
              if (code === 0) resolve(output);
              else reject(new Error(`exit ${code}`));
            });
          }),
      ),
    );
    expect(outputs[0]).toBe(outputs[1]);
    expect(readdirSync(join(dir, 'root/layers/chains'))).toHaveLength(1);
  });

  test('a recipe is built once, and loaded once', async () => {
    const cache = process.env['MINIRT_CACHE'];
    process.env['MINIRT_CACHE'] = join(dir, 'cache');
    try {
      const [one, two] = await Promise.all([
        ensureRecipe(store, 'busybox', never),
        ensureRecipe(openImageStore(join(dir, 'other')), 'busybox', never),
      ]);
      expect(one.digest).toBe(two.digest);
      expect(one).toMatchObject({
        source: 'recipe',
        names: ['docker.io/library/busybox:latest'],
        config: { cmd: ['sh'] },
      });
      expect((await ensureRecipe(store, 'busybox', never)).id).toBe(one.id);
      const { store: layers, layers: names } = await store.rootfs(one, never);
      const root = join(layers, names[0] ?? '');
      expect(execFileSync('chroot', [root, '/bin/sh', '-c', 'whoami; ls -d /tmp'], { encoding: 'utf8' })).toBe(
        'root\n/tmp\n',
      );
      await expect(ensureRecipe(store, 'nosuch', never)).rejects.toMatchObject({ code: 'image.not-found' });
    } finally {
      if (cache === undefined) delete process.env['MINIRT_CACHE'];
      else process.env['MINIRT_CACHE'] = cache;
    }
  });
});
