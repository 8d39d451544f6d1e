import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyLayer } from '../../src/image/layer/apply.ts';
import { DEFAULT_LIMITS, Meter } from '../../src/image/limits.ts';
import { type TestEntry, tar } from '../support/images.ts';
import { describeTree } from '../support/trees.ts';

const never = new AbortController().signal;

describe('what GNU tar takes, too,', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync('/tmp/mf-');
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  /**
   * Links have names of their own, for behind them tar and layers differ on purpose, and relative targets, for tar makes absolute
   * ones last, whatever came to have their names meanwhile.
   * Directories without setgid: the kernel gives it on to those that no entry describes, and tar sets it last.
   */
  const parts = fc.array(fc.constantFrom('a', 'b', 'long'.repeat(40), 'ü'), { minLength: 1, maxLength: 3 });
  const name = parts.map((all) => Buffer.from(all.join('/')).toString());
  const link = fc.tuple(name, fc.constantFrom('l1', 'l2')).map((both) => both.join('/'));
  const about = {
    mode: fc.constantFrom(0o644, 0o4755, 0o2711, 0o1777, 0),
    uid: fc.constantFrom(0, 7, 70_000, 3_000_000),
    gid: fc.constantFrom(0, 5, 2_097_152),
    mtime: fc.constantFrom(0, 1234, 1_700_000_000, 8_589_934_592),
  };
  const entry: fc.Arbitrary<TestEntry> = fc.oneof(
    fc.record({ name, content: fc.string({ maxLength: 1500 }), ...about }),
    fc.record({ name: name.map((text) => `${text}/`), ...about, mode: fc.constantFrom(0o755, 0o1777, 0o700, 0) }),
    fc.record({
      name: link,
      type: fc.constant('symlink' as const),
      linkname: name,
      ...about,
    }),
    fc.record({ name: link, type: fc.constant('link' as const), linkname: name }),
    fc.record({ name: link, type: fc.constant('fifo' as const), ...about }),
  );

  test('comes to the same tree', { timeout: 120_000 }, async () => {
    let count = 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 10 }), async (entries) => {
        count += 1;
        const [ours, theirs] = [join(dir, `ours${count}`), join(dir, `theirs${count}`)];
        for (const one of [ours, theirs]) mkdirSync(one);
        const bytes = await tar(entries);
        const { status } = spawnSync('tar', ['-C', theirs, '--numeric-owner', '-xpf', '-'], { input: bytes });
        if (status === 0) {
          compared += 1;
          async function* once(): AsyncGenerator<Uint8Array> {
            yield bytes;
          }
          await applyLayer(
            once(),
            { directory: ours, lowers: Promise.resolve([]), meter: new Meter(DEFAULT_LIMITS) },
            never,
          );
          expect(describeTree(ours)).toEqual(describeTree(theirs));
        }
        for (const one of [ours, theirs]) rmSync(one, { recursive: true });
      }),
      { numRuns: 120 },
    );
    expect(compared).toBeGreaterThan(20);
  });
});
