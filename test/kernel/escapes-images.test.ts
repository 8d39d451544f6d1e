/** Images and layers that mean harm, each next to a canary; those of published escapes are named by their CVE. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MinirtError } from '../../src/base/errors.ts';
import { removeTree } from '../../src/helper/fsops.ts';
import { digestOf } from '../../src/image/digest.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { type TestEntry, layoutFiles, layoutTar, tar } from '../support/images.ts';

const never = new AbortController().signal;
describe('hostile images', () => {
  let dir: string;
  let canary: string;
  let store: ImageStore;

  beforeEach(() => {
    dir = mkdtempSync('/tmp/mi-');
    canary = join(dir, 'canary');
    mkdirSync(canary, { mode: 0o750 });
    writeFileSync(join(canary, 'file'), 'alive', { mode: 0o640 });
    store = openImageStore(join(dir, 'root'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  function canaryFacts(): unknown {
    const of = (path: string): unknown[] => {
      const { mode, ino, nlink, uid, mtimeMs } = statSync(path);
      return [mode, ino, nlink, uid, mtimeMs];
    };
    return [of(canary), readdirSync(canary), of(join(canary, 'file')), readFileSync(join(canary, 'file'), 'utf8')];
  }

  /** Everything the store holds, but for the locks and folders that it always has. */
  function leftovers(): string[] {
    const own = new Set([
      '.',
      './blobs',
      './blobs/sha256',
      './ingest',
      './layers',
      './layers/chains',
      './layers/lock',
      './index.lock',
    ]);
    return execFileSync('find', ['.'], { cwd: join(dir, 'root'), encoding: 'utf8' })
      .split('\n')
      .filter((path) => path !== '' && !own.has(path));
  }

  async function refusal(archive: Buffer): Promise<MinirtError> {
    const before = canaryFacts();
    const stream = Readable.from([archive], { objectMode: false });
    const error: unknown = await store.load({ stream }, never).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(canaryFacts()).toEqual(before);
    expect(leftovers()).toEqual([]);
    expect(await store.list()).toEqual([]);
    expect(error).toBeInstanceOf(MinirtError);
    return error as MinirtError;
  }

  describe('a layer is refused whole when', () => {
    test.each<[string, (canary: string) => readonly TestEntry[]]>([
      ['a name is absolute', (at) => [{ name: `${at}/file`, content: 'bad' }]],
      ['CVE-2020-10696: a layer leads out: a name climbs', () => [{ name: '../../canary/file', content: 'bad' }]],
      [
        'CVE-2020-10696: a layer leads out: a name climbs on the way',
        () => [{ name: 'a/../../../canary/file', content: 'bad' }],
      ],
      ['a name is `..`', () => [{ name: '..', type: 'directory' }]],
      [
        'CVE-2026-17106: a layer leads out: a directory is an absolute link',
        (at) => [
          { name: 'out', type: 'symlink', linkname: at },
          { name: 'out/file', content: 'bad' },
        ],
      ],
      [
        'CVE-2026-17106: a layer leads out: a directory is a relative link',
        () => [
          { name: 'out', type: 'symlink', linkname: '../../../../canary' },
          { name: 'out/new', content: 'bad' },
        ],
      ],
      [
        'a link climbs to the root itself',
        () => [
          { name: 'up', type: 'symlink', linkname: '..' },
          { name: 'up/x', content: 'bad' },
        ],
      ],
      [
        'CVE-2026-17106, CVE-2026-23745: a layer leads out: a chain of links',
        (at) => [
          { name: 'a', type: 'symlink', linkname: 'b' },
          { name: 'b', type: 'symlink', linkname: 'c/..' },
          { name: 'c', type: 'symlink', linkname: at },
          { name: 'a/canary/file', content: 'bad' },
        ],
      ],
      [
        'CVE-2026-17106: a layer leads out: a directory is made through a link',
        (at) => [
          { name: 'out', type: 'symlink', linkname: at },
          { name: 'out/sub/', mode: 0o777 },
        ],
      ],
      [
        'CVE-2026-24842: a hard link points outside',
        () => [{ name: 'h', type: 'link', linkname: '../../../canary/file' }],
      ],
      [
        'CVE-2026-26960: a layer leads out: a hard link goes through a link',
        (at) => [
          { name: 'out', type: 'symlink', linkname: at },
          { name: 'h', type: 'link', linkname: 'out/file' },
          { name: 'h', content: 'bad' },
        ],
      ],
      [
        'CVE-2026-23950: a hard link is absolute',
        (at) => [
          { name: 'h', type: 'link', linkname: `${at}/file` },
          { name: 'h', content: 'bad' },
        ],
      ],
      ['a hard link has no target', () => [{ name: 'h', type: 'link', linkname: 'nothing' }]],
      ['a hard link is to a directory', () => [{ name: 'd/' }, { name: 'h', type: 'link', linkname: 'd' }]],
      [
        'CVE-2021-29136: the root is a link',
        (at) => [
          { name: './', type: 'symlink', linkname: at },
          { name: 'file', content: 'bad' },
        ],
      ],
      ['a whiteout has no name', () => [{ name: '.wh.', content: '' }]],
      ['a whiteout is of `..`', () => [{ name: 'a/.wh...', content: '' }]],
      ['a whiteout is a directory', () => [{ name: '.wh.a/b', content: '' }]],
      [
        'CVE-2026-17106: a layer leads out: a node lies behind a link',
        (at) => [
          { name: 'out', type: 'symlink', linkname: at },
          { name: 'out/sda', type: 'block-device', major: 8, minor: 0 },
        ],
      ],
      [
        'GHSA-w8wr-v893-vjvp: a name contains NUL',
        () => [{ name: 'x', content: '', pax: { path: Buffer.from('a\0b') } }],
      ],
      ['a name is too long', () => [{ name: 'n'.repeat(256), content: '' }]],
      ['GHSA-vmf3-w455-68vh: a size is negative', () => [{ name: 'x', content: '', pax: { size: '-1' } }]],
      ['CVE-2025-58183: a file is sparse', () => [{ name: 'x', content: 'a', pax: { 'GNU.sparse.major': '1' } }]],
      ['CVE-2024-40635: ids are out of range', () => [{ name: 'x', content: '', pax: { uid: '4294967295' } }]],
    ])('%s', async (_what, entries) => {
      const good: TestEntry = { name: 'good', content: 'good' };
      // The layer below is fine and must not stay either.
      const error = await refusal(
        await layoutTar({ layers: [await tar([good]), await tar([good, ...entries(canary)])] }),
      );
      expect(['image.invalid', 'image.unsupported']).toContain(error.code);
    });

    test('CVE-2021-32760: a link is written through by a later entry: the link goes, its target stays', async () => {
      const before = canaryFacts();
      const layer = await tar([
        { name: 'f', type: 'symlink', linkname: join(canary, 'file') },
        { name: 'f', content: 'bad', mode: 0o777 },
        { name: 'd', type: 'symlink', linkname: canary },
        { name: 'd/', mode: 0o777, uid: 5 },
        { name: 'd/in', content: 'inside' },
      ]);
      await store.load({ stream: Readable.from([await layoutTar({ layers: [layer] })]) }, never);
      expect(canaryFacts()).toEqual(before);
    });
  });

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
      [
        'a name is none',
        'reference.invalid',
        async () => layoutTar({ layers: [await layer()], names: ['UPPER/x:y:z'] }),
      ],
      [
        'CVE-2021-41190: a document is an index and a manifest',
        'image.invalid',
        () =>
          changed((files) => {
            const index = JSON.parse(files.get('index.json')?.toString() ?? '') as { manifests: [{ digest: string }] };
            const manifest = files.get(`blobs/sha256/${index.manifests[0].digest.slice(7)}`)?.toString() ?? '';
            const both = Buffer.from(
              JSON.stringify({ ...(JSON.parse(manifest) as object), manifests: index.manifests }),
            );
            files.set(`blobs/sha256/${digestOf(both).slice(7)}`, both);
            const manifests = [{ ...index.manifests[0], digest: digestOf(both), size: both.length }];
            files.set('index.json', Buffer.from(JSON.stringify({ ...index, manifests })));
          }),
      ],
      ['it holds no image', 'image.invalid', async () => tar([{ name: 'etc/passwd', content: '' }])],
      ['a member climbs', 'image.invalid', async () => tar([{ name: '../x', content: '' }])],
      ['it is zstd', 'image.unsupported', async () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0])],
    ])('%s', async (_what, code, archive) => {
      expect((await refusal(await archive())).code).toBe(code);
    });

    test('CVE-2024-3727: a digest is a path, wherever it stands', async () => {
      const evil = `sha256:${'../'.repeat(8)}etc/passwd`;
      const index = { manifests: [{ digest: evil, size: 1, mediaType: 'application/vnd.oci.image.manifest.v1+json' }] };
      const named = await changed((files) => files.set('index.json', Buffer.from(JSON.stringify(index))));
      expect((await refusal(named)).message).toContain('not sha256: and 64 hex digits');
    });

    test('a layer is cut off, or its gzip is garbage, though its digest is right', async () => {
      const whole = await layer();
      const half = whole.subarray(0, 50_000);
      expect((await refusal(await layoutTar({ layers: [half] }))).code).toBe('image.invalid');
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
      expect((await refusal(await tar(entries))).code).toBe('image.invalid');
    });
  });

  test('CVE-2017-1002102: removing a tree follows no link and takes any depth', async () => {
    const tree = join(dir, 'tree');
    const before = canaryFacts();
    execFileSync('sh', ['-c', `mkdir -p ${tree}/a/b && ln -s ${canary} ${tree}/a/out && ln -s / ${tree}/root`]);
    // Deeper than a path can say and than a process has descriptors.
    const script =
      'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(1500): os.mkdir("deeper"); os.chdir("deeper"); open("f", "w").close()';
    execFileSync('python3', ['-c', script, join(tree, 'a/b')]);
    await removeTree(tree, never);
    expect(readdirSync(dir)).not.toContain('tree');
    expect(canaryFacts()).toEqual(before);
    await removeTree(tree, never);
  });
});
