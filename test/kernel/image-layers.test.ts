import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ImageStore, type Rootfs, openImageStore } from '../../src/image/store.ts';
import { type TestEntry, loadImage, tar } from '../support/images.ts';

const never = new AbortController().signal;
describe('layers', () => {
  let root: string;
  let store: ImageStore;

  beforeEach(() => {
    root = mkdtempSync('/tmp/mi-');
    store = openImageStore(root);
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  /** Unpacks layers, bottom first. */
  async function unpack(...layers: readonly (readonly TestEntry[])[]): Promise<Rootfs> {
    const image = await loadImage(store, { layers: await Promise.all(layers.map(tar)) }, never);
    return store.rootfs(image, never);
  }

  /** The folder of the top layer. */
  function top({ store: dir, layers }: Rootfs): string {
    return join(dir, layers[0] ?? '');
  }

  /** What a shell prints in the merged root, mounted in a mount namespace of its own. */
  function merged({ store: dir, layers }: Rootfs, script: string): string[] {
    const lowers = layers.length === 1 ? `${layers[0]}:${root}/empty` : layers.join(':');
    const mount = `mkdir -p ${root}/m ${root}/empty && cd ${dir} && mount -t overlay -o lowerdir=${lowers} none ${root}/m && cd ${root}/m && ${script}`;
    return execFileSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', mount], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  }
  const tree = 'find . -mindepth 1 | sort';

  describe('several at once', () => {
    const big = { name: 'big', content: Buffer.alloc(48 << 20, 'x') };

    test('find what a slower one below them has, and hide it', async () => {
      const rootfs = await unpack(
        [{ name: 'dir/' }, { name: 'dir/gone', content: 'x' }, big, { name: 'dir/last', content: 'last' }],
        [
          { name: 'linked', type: 'link', linkname: 'dir/last' },
          { name: 'dir/.wh.gone', content: '' },
        ],
        [{ name: 'again', type: 'link', linkname: 'linked' }],
        [{ name: '.wh.big', content: '' }],
        [{ name: 'top', content: 'top' }],
      );
      expect(merged(rootfs, `cat linked again; echo; ${tree}`)).toEqual([
        'lastlast',
        './again',
        './dir',
        './dir/last',
        './linked',
        './top',
      ]);
    });

    test('leave nothing when one of them is broken', async () => {
      const broken = [{ name: 'link', type: 'link', linkname: 'nowhere' }] as const;
      await expect(unpack([big], broken, [big])).rejects.toMatchObject({ code: 'image.invalid' });
      expect(await store.list()).toEqual([]);
      for (const folder of ['ingest', 'layers']) {
        expect(readdirSync(join(root, folder)).filter((name) => name !== 'chains' && name !== 'lock')).toEqual([]);
      }
    });
  });

  describe('one layer', () => {
    test('keeps modes, owners, times, links and special files', async () => {
      const dir = top(
        await unpack([
          { name: './', mode: 0o755 },
          { name: 'bin/', mode: 0o750, uid: 3, gid: 4, mtime: 1000 },
          { name: 'bin/su', content: 'x', mode: 0o4755, uid: 0, gid: 5, mtime: 1234 },
          { name: 'bin/hard', type: 'link', linkname: 'bin/su' },
          { name: 'bin/slash', type: 'link', linkname: '/bin/su' },
          { name: 'sh', type: 'symlink', linkname: '../../bin/su', uid: 7, mtime: 99 },
          { name: 'tmp/', mode: 0o1777 },
          { name: 'null', type: 'character-device', major: 1, minor: 3, mode: 0o666 },
          { name: 'loop', type: 'block-device', major: 7, minor: 300 },
          { name: 'pipe', type: 'fifo', mode: 0o600 },
        ]),
      );
      const su = lstatSync(join(dir, 'bin/su'));
      expect([su.mode & 0o7777, su.uid, su.gid, su.mtimeMs, su.nlink, su.size]).toEqual([
        0o4755, 0, 5, 1_234_000, 3, 1,
      ]);
      const bin = lstatSync(join(dir, 'bin'));
      expect([bin.mode & 0o7777, bin.uid, bin.gid, bin.mtimeMs]).toEqual([0o750, 3, 4, 1_000_000]);
      expect(readlinkSync(join(dir, 'sh'))).toBe('../../bin/su');
      expect([lstatSync(join(dir, 'sh')).uid, lstatSync(join(dir, 'sh')).mtimeMs]).toEqual([7, 99_000]);
      expect(lstatSync(join(dir, 'tmp')).mode & 0o7777).toBe(0o1777);
      expect(lstatSync(join(dir, 'null')).isCharacterDevice()).toBe(true);
      expect(lstatSync(join(dir, 'null')).rdev).toBe(0x103);
      expect(execFileSync('stat', ['-c', '%t %T', join(dir, 'loop')], { encoding: 'utf8' }).trim()).toBe('7 12c');
      expect(lstatSync(join(dir, 'pipe')).isFIFO()).toBe(true);
    });

    test('keeps file capabilities to the bit, and drops what belongs to the host or to overlayfs', async () => {
      // cap_setuid+ep and cap_net_raw: bytes over 0x7f, which are no UTF-8
      const capability = Buffer.from('0100000280a0000000000000ff00000000000000'.padEnd(40, '0').slice(0, 40), 'hex');
      const pax = {
        'SCHILY.xattr.security.capability': capability,
        'SCHILY.xattr.user.note': Buffer.from([0xff, 0x00, 0x0a, 0x80]),
        'SCHILY.xattr.trusted.overlay.opaque': 'y',
        'LIBARCHIVE.xattr.user.base%2064': Buffer.from('zzz').toString('base64'),
        mtime: '1500.123456789',
      };
      const file = join(top(await unpack([{ name: 'ping', content: 'x', mode: 0o755, pax }])), 'ping');
      const script =
        'import os,sys\nfor n in sorted(os.listxattr(sys.argv[1])): print(n, os.getxattr(sys.argv[1], n).hex())\nprint(os.stat(sys.argv[1]).st_mtime_ns)';
      expect(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }).trim().split('\n')).toEqual([
        `security.capability ${capability.toString('hex')}`,
        'user.base 64 7a7a7a',
        'user.note ff000a80',
        '1500123456789',
      ]);
    });

    test('takes long names, names that are no UTF-8, and links of any length', async () => {
      const long = `${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(200)}`;
      const dir = top(
        await unpack([
          { name: long, content: 'deep' },
          { name: 'raw', content: 'x', pax: { path: Buffer.from([0x66, 0xff, 0xfe]) } },
          { name: 'l', type: 'symlink', linkname: 't'.repeat(300) },
        ]),
      );
      expect(readFileSync(join(dir, long), 'utf8')).toBe('deep');
      expect(statSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x66, 0xff, 0xfe])])).size).toBe(1);
      expect(readlinkSync(join(dir, 'l'))).toHaveLength(300);
    });

    test('replaces what an earlier entry of the same name made', async () => {
      const dir = top(
        await unpack([
          { name: 'a/b/c', content: '1' },
          { name: 'a', content: 'a file now' },
          { name: 'l', type: 'symlink', linkname: 'a' },
          { name: 'l', content: 'no link' },
          { name: 'f', content: 'f' },
          { name: 'f/', mode: 0o700 },
          { name: 'f/g', content: 'g' },
          { name: 'x', content: 'x' },
          { name: 'x', type: 'link', linkname: 'x' },
          { name: 'k/', mode: 0o700 },
          { name: 'k/in', content: '' },
          { name: 'k/', mode: 0o711 },
        ]),
      );
      expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('a file now');
      expect(readFileSync(join(dir, 'l'), 'utf8')).toBe('no link');
      expect(readFileSync(join(dir, 'f/g'), 'utf8')).toBe('g');
      expect(readFileSync(join(dir, 'x'), 'utf8')).toBe('x');
      expect(statSync(join(dir, 'k')).mode & 0o777).toBe(0o711);
      expect(statSync(join(dir, 'k/in')).size).toBe(0);
    });

    test('follows links of directories within the layer', async () => {
      const dir = top(
        await unpack([
          { name: 'usr/bin/' },
          { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
          { name: 'bin/sh', content: 'sh' },
          { name: 'var/' },
          { name: 'run/' },
          { name: 'var/run', type: 'symlink', linkname: '/run' },
          { name: 'var/run/pid', content: '1' },
        ]),
      );
      expect(readFileSync(join(dir, 'usr/bin/sh'), 'utf8')).toBe('sh');
      expect(readFileSync(join(dir, 'run/pid'), 'utf8')).toBe('1');
    });

    test('does not mind anything behind the end of the archive', async () => {
      const layer = Buffer.concat([await tar([{ name: 'a', content: '1' }]), Buffer.from('garbage')]);
      const image = await loadImage(store, { layers: [layer], gzip: true }, never);
      expect(readFileSync(join(top(await store.rootfs(image, never)), 'a'), 'utf8')).toBe('1');
    });
  });

  describe('whiteouts', () => {
    const base: readonly TestEntry[] = [
      { name: 'd/' },
      { name: 'd/a', content: 'a' },
      { name: 'd/b', content: 'b' },
      { name: 'd/sub/x', content: 'x' },
      { name: 'f', content: 'f' },
    ];

    test.each<[string, readonly TestEntry[], readonly string[]]>([
      ['hide a file', [{ name: '.wh.f' }], ['./d', './d/a', './d/b', './d/sub', './d/sub/x']],
      ['hide a directory', [{ name: '.wh.d' }], ['./f']],
      ['hide in a directory', [{ name: 'd/.wh.a' }], ['./d', './d/b', './d/sub', './d/sub/x', './f']],
      [
        'spare the same layer before',
        [{ name: 'd/a', content: 'new' }, { name: 'd/.wh.a' }],
        ['./d', './d/a', './d/b', './d/sub', './d/sub/x', './f'],
      ],
      ['spare the same layer after', [{ name: '.wh.d' }, { name: 'd/new', content: '' }], ['./d', './d/new', './f']],
      [
        'of missing names are nothing',
        [{ name: '.wh.none' }, { name: 'd/sub/.wh.none' }, { name: 'p/.wh.q' }],
        ['./d', './d/a', './d/b', './d/sub', './d/sub/x', './f'],
      ],
      [
        'that are hard links count by name',
        [
          { name: 'z', content: '' },
          { name: '.wh.f', type: 'link', linkname: 'z' },
        ],
        ['./d', './d/a', './d/b', './d/sub', './d/sub/x', './z'],
      ],
      [
        'opaque first',
        [{ name: 'd/' }, { name: 'd/.wh..wh..opq' }, { name: 'd/n', content: '' }],
        ['./d', './d/n', './f'],
      ],
      [
        'opaque last',
        [{ name: 'd/' }, { name: 'd/n', content: '' }, { name: 'd/.wh..wh..opq' }],
        ['./d', './d/n', './f'],
      ],
      [
        'opaque with explicit ones in it',
        [{ name: 'd/.wh.a' }, { name: 'd/.wh..wh..opq' }, { name: 'd/sub/.wh.x' }, { name: 'd/sub/y', content: '' }],
        ['./d', './d/sub', './d/sub/y', './f'],
      ],
      ['opaque on the root', [{ name: '.wh..wh..opq' }, { name: 'd/n', content: '' }], ['./d', './d/n']],
      [
        'of aufs are skipped',
        [{ name: '.wh..wh.aufs' }, { name: '.wh..wh.plnk/1.2', content: '' }],
        ['./d', './d/a', './d/b', './d/sub', './d/sub/x', './f'],
      ],
      [
        'as devices 0:0 mean the same',
        [{ name: 'f', type: 'character-device' }],
        ['./d', './d/a', './d/b', './d/sub', './d/sub/x'],
      ],
      ['then a file where a directory was', [{ name: 'd', content: 'file' }], ['./d', './f']],
    ])('%s', async (_what, layer, expected) => {
      expect(merged(await unpack(base, layer), tree)).toEqual(expected);
    });

    test('in the lowest layer leave nothing behind', async () => {
      expect(merged(await unpack([{ name: 'd/.wh.x' }, { name: 'd/a', content: '' }]), tree)).toEqual(['./d', './d/a']);
    });

    test('can be taken back by a later layer', async () => {
      expect(
        merged(await unpack(base, [{ name: '.wh.d' }], [{ name: 'd/a', content: 'again' }]), `${tree}; cat d/a`),
      ).toEqual(['./d', './d/a', './f', 'again']);
    });
  });

  describe('several layers', () => {
    test('a hard link to a file of a lower layer is the same file, with all that describes it', async () => {
      const lower: readonly TestEntry[] = [
        { name: 'opt/', mode: 0o711, uid: 9 },
        { name: 'opt/tool', content: 'tool', mode: 0o4751, uid: 5, gid: 6, mtime: 777 },
      ];
      const rootfs = await unpack(lower, [{ name: 'other', type: 'link', linkname: 'opt/tool' }]);
      expect(merged(rootfs, 'stat -c "%n %a %u %g %h %Y" opt opt/tool other; cat other')).toEqual([
        expect.stringMatching(/^opt 711 9 0 /),
        'opt/tool 4751 5 6 2 777',
        'other 4751 5 6 2 777',
        'tool',
      ]);
    });

    test('a parent that a layer does not describe stays what it was below', async () => {
      const rootfs = await unpack(
        [{ name: 'private/', mode: 0o700, uid: 12, gid: 13, mtime: 55 }],
        [{ name: 'private/key', content: 'k' }],
      );
      expect(merged(rootfs, 'stat -c "%a %u %g %Y" private')).toEqual(['700 12 13 55']);
    });

    test('127 of them make one root', async () => {
      const layers = Array.from({ length: 127 }, (_unused, at) => [{ name: `f${at}`, content: String(at) }]);
      const rootfs = await unpack(...layers);
      expect(rootfs.layers).toHaveLength(127);
      expect(rootfs.layers.every((name) => name.length <= 16)).toBe(true);
      expect(rootfs.layers.join(':').length).toBeLessThan(4000);
    });
  });
});
