import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openImageStore } from '../../src/image/store.ts';
import { type Result, eventually, useCli } from '../support/cli.ts';
import { layoutTar, tar } from '../support/images.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { skopeo } from '../support/skopeo.ts';

expectNoLeaks(() => cli().roots);
const cli = useCli();
const never = new AbortController().signal;
const BIG = 3_000_000;

describe('the image store', () => {
  let dir: string;
  let root: string;

  beforeEach(async () => {
    dir = mkdtempSync('/tmp/mrc-');
    root = join(dir, 'root');
    mkdirSync(root);
    const shared = await tar([
      ...Array.from({ length: 300 }, (_one, i) => ({ name: `files/${i}`, content: String(i) })),
      { name: 'big', content: Buffer.alloc(BIG, 'x') },
    ]);
    for (const name of ['a', 'b', 'c']) {
      const own = await tar([{ name: 'own', content: name.repeat(100_000) }]);
      writeFileSync(
        join(dir, `${name}.tar`),
        await layoutTar({ layers: [shared, own], names: [name, 'last'], gzip: true }),
      );
    }
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  function minirt(...args: readonly string[]): Promise<Result> {
    return cli().run('--root', root, ...args);
  }

  const load = (name: string): readonly string[] => ['load', '-i', join(dir, `${name}.tar`)];

  /** Every image in the index is whole, for us and for skopeo; whatever is left over goes with a prune. */
  async function expectSound(): Promise<void> {
    const store = openImageStore(root);
    for (const image of await store.list()) {
      const { store: layers, layers: names } = await store.rootfs(image, never);
      expect(names.map((name) => readdirSync(join(layers, name)).length)).toEqual([1, 2]);
      expect(readdirSync(join(layers, names[1] ?? '', 'files'))).toHaveLength(300);
      for (const name of image.names) skopeo('copy', `oci:${root}:${name}`, `dir:${dir}/copy`);
    }
    expect(await minirt('prune')).toMatchObject({ code: 0, stderr: '' });
    const named = (await store.list()).length;
    expect(readdirSync(root).filter((name) => name.startsWith('index.json'))).toEqual(['index.json']);
    expect(readdirSync(join(root, 'ingest'))).toEqual([]);
    const layers = readdirSync(join(root, 'layers')).filter((name) => /^[0-9a-f]{12}$/.test(name));
    const wanted = named === 0 ? 0 : named + 1;
    expect([layers.length, readdirSync(join(root, 'layers/chains')).length]).toEqual([wanted, wanted]);
    expect(readdirSync(join(root, 'blobs/sha256'))).toHaveLength(named === 0 ? 0 : 3 * named + 1);
  }

  test('is sound after a kill at any moment', { timeout: 300_000 }, async () => {
    const verbs = [
      load('a'),
      load('b'),
      ['rmi', '-f', 'a'],
      ['prune', '-a'],
      load('c'),
      ['tag', 'c', 'more'],
      ['rmi', 'c', 'more'],
    ];
    const began = performance.now();
    await minirt(...load('a'));
    const whole = performance.now() - began;
    const before = whole * 0.3;
    for (let round = 0; round < 21; round++) {
      const call = cli().start(['--root', root, ...(verbs[round % verbs.length] ?? [])]);
      const wait = before + ((whole - before) * (round % 8)) / 7;
      await Promise.race([call.done, new Promise((resolve) => setTimeout(resolve, wait))]);
      call.kill('SIGKILL');
      await call.done.catch(() => undefined);
      expect(await minirt('images')).toMatchObject({ code: 0, stderr: '' });
      if (round % 5 === 4) expect(await minirt(...load('b'))).toMatchObject({ code: 0 });
    }
    expect(await minirt(...load('a'))).toMatchObject({ code: 0 });
    await expectSound();
  });

  test('is sound after many at once', { timeout: 300_000 }, async () => {
    const one = async (verbs: readonly (readonly string[])[]): Promise<void> => {
      for (const verb of [...verbs, ...verbs]) {
        const { code, stderr } = await minirt(...verb);
        if (code !== 0) expect(stderr).toMatch(/No such image/);
      }
    };
    await Promise.all([
      one([load('a'), ['rmi', 'a'], load('b')]),
      one([load('b'), ['tag', 'b', 'more'], ['rmi', 'b', 'more']]),
      one([['prune', '-a'], load('c'), ['prune']]),
    ]);
    await expectSound();
  });

  describe('on a disk that is full', () => {
    beforeEach(() => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=11m', 'none', root]);
    });
    afterEach(async () => {
      await eventually(() => {
        execFileSync('umount', [root], { stdio: 'ignore' });
      });
    });
    const fill = (leave: number): void => {
      rmSync(join(root, 'filler'), { force: true });
      try {
        execFileSync('dd', ['if=/dev/zero', `of=${join(root, 'filler')}`, 'bs=4096'], { stdio: 'ignore' });
      } catch {
        // It is full now, which is what was wanted.
      }
      execFileSync('truncate', ['-s', `-${leave}`, join(root, 'filler')]);
    };

    test('fails cleanly wherever it gets full, and goes on when there is room', { timeout: 300_000 }, async () => {
      let failed = 0;
      for (const leave of [0, 8192, 100_000, 400_000, 1_000_000, BIG, BIG + 200_000, BIG + 800_000, BIG * 3]) {
        fill(leave);
        const { code, stderr } = await minirt(...load('a'));
        if (code !== 0) {
          failed += 1;
          expect({ code, stderr }).toEqual({
            code: 1,
            stderr: expect.stringMatching(/^error\[io\].*(ENOSPC|no space)/) as string,
          });
          expect(await minirt('images', '-q')).toEqual({ code: 0, stdout: '', stderr: '' });
          expect(readdirSync(join(root, 'ingest'))).toEqual([]);
        }
      }
      expect(failed).toBeGreaterThan(4);
      rmSync(join(root, 'filler'));
      expect(await minirt(...load('a'))).toMatchObject({ code: 0 });
      await expectSound();
    });

    test('can be emptied', { timeout: 120_000 }, async () => {
      expect(await minirt(...load('a'))).toMatchObject({ code: 0 });
      fill(0);
      expect(await minirt(...load('b'))).toMatchObject({ code: 1 });
      const id = (await minirt('images', '-q')).stdout.trim();
      expect(await minirt('rmi', '-f', id)).toMatchObject({ code: 0, stderr: '' });
      await expectSound();
    });
  });
});
