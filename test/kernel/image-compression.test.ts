import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/image/digest.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { layoutFiles, tar } from '../support/images.ts';
import { skopeo } from '../support/skopeo.ts';

const never = new AbortController().signal;
const text = 'what a layer holds\n'.repeat(50_000);

describe('images, packed in all ways,', () => {
  let dir: string;
  let layout: string;
  let store: ImageStore;

  beforeEach(async () => {
    dir = mkdtempSync('/tmp/mi-');
    store = openImageStore(join(dir, 'root'));
    layout = join(dir, 'layout');
    const layers = [await tar([{ name: 'a', content: text }]), await tar([{ name: 'b', content: '2' }])];
    write(layoutFiles({ layers, names: ['app'] }));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  function write(files: Map<string, Buffer>): void {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(layout, name)), { recursive: true });
      writeFileSync(join(layout, name), content);
    }
  }

  async function expectContent(name: string): Promise<void> {
    const image = await store.find(name);
    if (image === undefined) throw new Error('the image is not there');
    const { store: layers, layers: names } = await store.rootfs(image, never);
    expect(names.map((one) => readdirSync(join(layers, one)))).toEqual([['b'], ['a']]);
    expect(readFileSync(join(layers, names[1] ?? '', 'a'), 'utf8')).toBe(text);
  }

  test('zstd layers, as skopeo writes them', async () => {
    skopeo('copy', '--dest-compress-format', 'zstd', '--dest-compress', `oci:${layout}:app`, `oci:${dir}/zstd:packed`);
    const blobs = readdirSync(join(dir, 'zstd/blobs/sha256')).map((one) =>
      readFileSync(join(dir, 'zstd/blobs/sha256', one)),
    );
    expect(blobs.filter((one) => one.readUInt32LE() === 0xfd2fb528)).toHaveLength(2);
    await store.load({ path: join(dir, 'zstd') }, never);
    await expectContent('packed');
  });

  test('docker archives whose layers are links and plain, gzip around them, from stdin', async () => {
    skopeo('copy', `oci:${layout}:app`, `docker-archive:${dir}/a.tar:app:docker`);
    const packed = gzipSync(readFileSync(join(dir, 'a.tar')));
    expect(await store.load({ stream: Readable.from([packed], { objectMode: false }) }, never)).toEqual([
      'docker.io/library/app:docker',
    ]);
    await expectContent('app:docker');
  });

  test('an archive in zstd, whose first bytes come one by one', async () => {
    skopeo('copy', `oci:${layout}:app`, `oci-archive:${dir}/a.tar:app:all`);
    const bytes = readFileSync(join(dir, 'a.tar'));
    const block = (at: number): Buffer => {
      const part = bytes.subarray(at, at + 65536);
      const head = Buffer.alloc(3);
      head.writeUIntLE((part.length << 3) | Number(at + 65536 >= bytes.length), 0, 3);
      return Buffer.concat([head, part]);
    };
    const blocks = Array.from({ length: Math.ceil(bytes.length / 65536) }, (_one, at) => block(at * 65536));
    const packed = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 80]), ...blocks]);
    const stream = Readable.from([...[0, 1, 2, 3, 4].map((at) => packed.subarray(at, at + 1)), packed.subarray(5)]);
    await store.load({ stream }, never);
    await expectContent('app:all');
  });

  test('gzip of several members', async () => {
    const layer = await tar([{ name: 'a', content: text }]);
    const members = [0, 1000, 300_000, layer.length - 512].map((at, i, all) =>
      gzipSync(layer.subarray(at, all[i + 1])),
    );
    const bottom = Buffer.concat(members);
    const top = await tar([{ name: 'b', content: '2' }]);
    const files = layoutFiles({ layers: [bottom, gzipSync(top)], diffIds: [digestOf(layer), digestOf(top)] });
    rmSync(layout, { recursive: true });
    write(asGzip(files));
    await store.load({ path: layout }, never);
    await expectContent('test');
  });

  /** The same image, which says that its layers are gzip. */
  function asGzip(files: Map<string, Buffer>): Map<string, Buffer> {
    const index = JSON.parse(files.get('index.json')?.toString() ?? '') as {
      manifests: [{ digest: string; size: number }];
    };
    const manifest = Buffer.from(
      (files.get(`blobs/sha256/${index.manifests[0].digest.slice(7)}`)?.toString() ?? '').replaceAll(
        'layer.v1.tar"',
        'layer.v1.tar+gzip"',
      ),
    );
    index.manifests[0] = { ...index.manifests[0], digest: digestOf(manifest), size: manifest.length };
    files.set(`blobs/sha256/${digestOf(manifest).slice(7)}`, manifest);
    return files.set('index.json', Buffer.from(JSON.stringify(index)));
  }

  test.each([
    ['files', { entries: 1 }],
    ['bytes', { bytes: text.length }],
  ])('over a limit of %s leave nothing', async (_what, limit) => {
    const limits = { ...DEFAULT_LIMITS, ...limit };
    await expect(store.load({ path: layout }, never, { limits })).rejects.toMatchObject({ code: 'image.too-large' });
    expect([
      await store.list(),
      readdirSync(join(dir, 'root/ingest')),
      readdirSync(join(dir, 'root/layers/chains')),
    ]).toEqual([[], [], []]);
  });
});
