/** Archives that are no images, or mean harm; those of published escapes are named by their CVE. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/image/digest.ts';
import { useCanary } from '../support/hostile.ts';
import { layoutFiles, layoutTar, tar } from '../support/images.ts';

const beside = useCanary();

describe('an archive is refused whole when', () => {
  const layer = (): Promise<Buffer> =>
    tar([
      { name: 'a', content: 'x'.repeat(100_000) },
      { name: 'b', content: 'y' },
    ]);
  /** The files of a layout with one of them changed. */
  const changed = async (change: (files: Map<string, Buffer>) => void, gzip = true): Promise<Buffer> => {
    const files = layoutFiles({ layers: [await layer()], gzip });
    change(files);
    return tar([...files].map(([name, content]) => ({ name, content })));
  };
  const largest = (files: Map<string, Buffer>): string =>
    [...files].sort((a, b) => b[1].length - a[1].length)[0]?.[0] ?? '';

  test.each<[string, string, () => Promise<Buffer>]>([
    ['it is empty', 'image.invalid', async () => Buffer.alloc(0)],
    ['it is no tar', 'image.invalid', async () => Buffer.from('no tar at all '.repeat(1000))],
    [
      'it is cut off in a file',
      'image.invalid',
      async () => (await layoutTar({ layers: [await layer()] })).subarray(0, 60_000),
    ],
    [
      'it is cut off between files',
      'image.invalid',
      async () => (await layoutTar({ layers: [await layer()] })).subarray(0, 1024),
    ],
    [
      'its gzip is cut off',
      'image.invalid',
      async () => gzipSync(await layoutTar({ layers: [await layer()] })).subarray(0, 500),
    ],
    [
      'CVE-2021-20291: its gzip is garbage',
      'image.invalid',
      async () => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(5000, 7)]),
    ],
    ['a blob is missing', 'image.invalid', () => changed((files) => files.delete(largest(files)), false)],
    [
      'a blob is another',
      'image.digest-mismatch',
      () => changed((files) => files.set(largest(files), Buffer.from('other')), false),
    ],
    [
      'a diff id is wrong',
      'image.digest-mismatch',
      async () => layoutTar({ layers: [await layer()], diffIds: [digestOf('other')] }),
    ],
    ['diff ids are missing', 'image.invalid', async () => layoutTar({ layers: [await layer()], diffIds: [] })],
    [
      'a digest would be a path',
      'image.invalid',
      async () =>
        changed((files) =>
          files.set(
            'index.json',
            Buffer.from('{"manifests":[{"digest":"sha256:../../../../etc/passwd","size":1,"mediaType":""}]}'),
          ),
        ),
    ],
    [
      'CVE-2021-21285: its index is no JSON',
      'image.invalid',
      async () => changed((files) => files.set('index.json', Buffer.from('{'))),
    ],
    [
      'CVE-2023-25153: its index is too large',
      'image.invalid',
      async () => changed((files) => files.set('index.json', Buffer.alloc(5 * 1024 * 1024, ' '))),
    ],
    ['a name is none', 'reference.invalid', async () => layoutTar({ layers: [await layer()], names: ['UPPER/x:y:z'] })],
    [
      'CVE-2021-41190: a document is an index and a manifest',
      'image.invalid',
      () =>
        changed((files) => {
          const index = JSON.parse(files.get('index.json')?.toString() ?? '') as { manifests: [{ digest: string }] };
          const manifest = files.get(`blobs/sha256/${index.manifests[0].digest.slice(7)}`)?.toString() ?? '';
          const both = Buffer.from(JSON.stringify({ ...(JSON.parse(manifest) as object), manifests: index.manifests }));
          files.set(`blobs/sha256/${digestOf(both).slice(7)}`, both);
          const manifests = [{ ...index.manifests[0], digest: digestOf(both), size: both.length }];
          files.set('index.json', Buffer.from(JSON.stringify({ ...index, manifests })));
        }),
    ],
    ['it holds no image', 'image.invalid', async () => tar([{ name: 'etc/passwd', content: '' }])],
    ['a member climbs', 'image.invalid', async () => tar([{ name: '../x', content: '' }])],
    ['its zstd is cut off', 'image.invalid', async () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0])],
  ])('%s', async (_what, code, archive) => {
    expect((await beside().refusal(await archive())).code).toBe(code);
  });

  test('CVE-2024-3727: a digest is a path, wherever it stands', async () => {
    const evil = `sha256:${'../'.repeat(8)}etc/passwd`;
    const index = { manifests: [{ digest: evil, size: 1, mediaType: 'application/vnd.oci.image.manifest.v1+json' }] };
    const named = await changed((files) => files.set('index.json', Buffer.from(JSON.stringify(index))));
    expect((await beside().refusal(named)).message).toContain('not sha256: and 64 hex digits');
  });

  test('a layer is cut off, or its gzip is garbage, though its digest is right', async () => {
    const whole = await layer();
    const half = whole.subarray(0, 50_000);
    expect((await beside().refusal(await layoutTar({ layers: [half] }))).code).toBe('image.invalid');
    const garbage = Buffer.concat([gzipSync(whole).subarray(0, 100), Buffer.alloc(100, 1)]);
    const files = layoutFiles({ layers: [garbage], diffIds: [digestOf(whole)] });
    const asGzip = [...files].map(([name, content]) => ({ name, content }));
    const text = (name: string): string => files.get(name)?.toString() ?? '';
    const index = JSON.parse(text('index.json')) as { manifests: { digest: string; size: number }[] };
    const manifest = Buffer.from(
      text(`blobs/sha256/${index.manifests[0]?.digest.slice(7)}`).replace('layer.v1.tar"', 'layer.v1.tar+gzip"'),
    );
    index.manifests = index.manifests.map((one) => ({ ...one, digest: digestOf(manifest), size: manifest.length }));
    const entries = asGzip.filter(({ name }) => name !== 'index.json');
    entries.push(
      { name: 'index.json', content: Buffer.from(JSON.stringify(index)) },
      { name: `blobs/sha256/${digestOf(manifest).slice(7)}`, content: manifest },
    );
    expect((await beside().refusal(await tar(entries))).code).toBe('image.invalid');
  });
});
