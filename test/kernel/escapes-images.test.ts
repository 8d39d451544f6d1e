/** Layers that mean harm, each next to a canary; those of published escapes are named by their CVE. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { removeTree } from '../../src/helper/fsops.ts';
import { useCanary } from '../support/hostile.ts';
import { type TestEntry, layoutTar, tar } from '../support/images.ts';

const never = new AbortController().signal;
const beside = useCanary();

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
    const error = await beside().refusal(
      await layoutTar({ layers: [await tar([good]), await tar([good, ...entries(beside().canary)])] }),
    );
    expect(['image.invalid', 'image.unsupported']).toContain(error.code);
  });

  test('CVE-2021-32760: a link is written through by a later entry: the link goes, its target stays', async () => {
    const before = beside().facts();
    const layer = await tar([
      { name: 'f', type: 'symlink', linkname: join(beside().canary, 'file') },
      { name: 'f', content: 'bad', mode: 0o777 },
      { name: 'd', type: 'symlink', linkname: beside().canary },
      { name: 'd/', mode: 0o777, uid: 5 },
      { name: 'd/in', content: 'inside' },
    ]);
    await beside().store.load({ stream: Readable.from([await layoutTar({ layers: [layer] })]) }, never);
    expect(beside().facts()).toEqual(before);
  });
});

test('CVE-2017-1002102: removing a tree follows no link and takes any depth', async () => {
  const tree = join(beside().dir, 'tree');
  const before = beside().facts();
  execFileSync('sh', ['-c', `mkdir -p ${tree}/a/b && ln -s ${beside().canary} ${tree}/a/out && ln -s / ${tree}/root`]);
  // Deeper than a path can say and than a process has descriptors.
  const script =
    'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(1500): os.mkdir("deeper"); os.chdir("deeper"); open("f", "w").close()';
  execFileSync('python3', ['-c', script, join(tree, 'a/b')]);
  await removeTree(tree, never);
  expect(readdirSync(beside().dir)).not.toContain('tree');
  expect(beside().facts()).toEqual(before);
  await removeTree(tree, never);
});
