import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildRecipe } from '../../src/image/recipe.ts';
import { type Image, type ImageStore, type Rootfs, openImageStore } from '../../src/image/store.ts';
import { loadImage, tar } from '../support/images.ts';
import { skopeo } from '../support/skopeo.ts';
import { describeTree } from '../support/trees.ts';

const never = new AbortController().signal;

describe('other readers of our store', () => {
  let dir: string;
  let root: string;
  let store: ImageStore;

  beforeEach(() => {
    dir = mkdtempSync('/tmp/mi-');
    root = join(dir, 'root');
    store = openImageStore(root);
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  /** The tree that a container would have, and the one that umoci makes of what skopeo copies. */
  async function trees(image: Image): Promise<{ ours: readonly string[]; theirs: readonly string[] }> {
    skopeo('copy', `oci:${root}:${image.names[0]}`, `oci:${dir}/copy:it`);
    execFileSync('umoci', ['unpack', '--image', `${dir}/copy:it`, `${dir}/bundle`], { stdio: 'ignore' });
    return { ours: merged(await store.rootfs(image, never)), theirs: describeTree(join(dir, 'bundle/rootfs')) };
  }

  function merged({ store: layers, layers: names }: Rootfs): readonly string[] {
    for (const name of ['m', 'empty']) mkdirSync(join(dir, name));
    const lower = [...names, join(dir, 'empty')].join(':');
    const mount = `(cd ${layers} && mount -t overlay -o lowerdir=${lower} none ${dir}/m)`;
    return describeTree(join(dir, 'm'), { before: mount });
  }

  test('agree with it on the recipe of busybox', async () => {
    const path = await buildRecipe('busybox', never);
    const [name = ''] = await store.load({ path }, never);
    const image = await store.need(name);
    const { ours, theirs } = await trees(image);
    expect(ours.length).toBeGreaterThan(100);
    expect(ours).toEqual(theirs);
    expect(skopeo('inspect', '--format', '{{.Digest}}', `oci:${root}:${name}`).trim()).toBe(image.digest);
  });

  test('agree with it on layers that change each other', async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const image = await loadImage(
      store,
      {
        layers: [
          await tar([
            { name: 'bin/', mode: 0o750, uid: 3, gid: 4 },
            { name: 'bin/su', content: 'x', mode: 0o4755, gid: 5, mtime: 1234 },
            { name: 'bin/hard', type: 'link', linkname: 'bin/su' },
            { name: 'bin/ping', content: 'p', mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability } },
            { name: 'bin/extra', content: 'e' },
            { name: 'gone/a/b', content: '1' },
            { name: 'kept/old', content: '1' },
            { name: 'kept/new', content: '1', uid: 70000 },
            { name: 'file', content: 'becomes a directory' },
            { name: 'dir/in', content: 'becomes a file' },
            { name: 'way', type: 'symlink', linkname: '../../etc' },
            { name: 'pipe', type: 'fifo', mode: 0o600 },
            { name: `${'long/'.repeat(50)}name`, content: 'l' },
          ]),
          await tar([
            { name: '.wh.gone', content: '' },
            { name: 'kept/.wh..wh..opq', content: '' },
            { name: 'kept/new', content: '22', mtime: 5678 },
            { name: '.wh.file', content: '' },
            { name: 'file/', mode: 0o700 },
            { name: 'file/in', content: '' },
            { name: 'dir', content: 'a file now' },
          ]),
          await tar([
            { name: 'gone/', mode: 0o711 },
            { name: 'gone/again', content: 'back' },
            { name: 'bin/.wh.extra', content: '' },
          ]),
        ],
        gzip: true,
      },
      never,
    );
    const { ours, theirs } = await trees(image);
    expect(ours).toEqual(theirs);
    expect(ours.find((line) => line.includes('bin/ping cap_'))).toBeDefined();
  });

  test('import and save are read, too', async () => {
    const bytes = await tar([
      { name: 'etc/', mode: 0o700 },
      { name: 'etc/f', content: 'x', uid: 9, mtime: 77 },
    ]);
    const image = await store.importRootfs(
      { stream: Readable.from([bytes], { objectMode: false }) },
      { reference: 'mine' },
      never,
    );
    writeFileSync(join(dir, 'plain.tar'), bytes);
    mkdirSync(join(dir, 'plain'));
    execFileSync('tar', ['-C', join(dir, 'plain'), '--numeric-owner', '-xpf', join(dir, 'plain.tar')]);
    const { ours, theirs } = await trees(image);
    expect(ours).toEqual(theirs);
    expect(ours).toEqual(describeTree(join(dir, 'plain')));
  });
});
