import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMinirtError } from '../../src/base/errors.ts';
import { applyLayer } from '../../src/image/layer/apply.ts';
import { readTar } from '../../src/image/layer/entries.ts';
import { entryName } from '../../src/image/layer/name.ts';
import { DEFAULT_LIMITS, Meter } from '../../src/image/limits.ts';
import { type TestEntry, tar } from '../support/images.ts';

const never = new AbortController().signal;
describe('layers', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync('/tmp/mf-');
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
    yield bytes;
  }

  /** Names that meet each other: few letters, links among them, ways out. */
  const component = fc.constantFrom('a', 'b', 'c', '..', '.', '', '.wh.a', '.wh..wh..opq', 'canary');
  const name = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/') || 'a');
  const target = fc.oneof(
    name,
    name.map((text) => `/${text}`),
    fc.constantFrom('/', '..', '../..', '../canary', '/proc/self/root', '.'),
  );
  const entry: fc.Arbitrary<TestEntry> = fc.oneof(
    fc.record({ name, content: fc.string({ maxLength: 5 }) }),
    fc.record({ name, type: fc.constant('directory' as const), mode: fc.constantFrom(0o755, 0o4777, 0) }),
    fc.record({ name, type: fc.constant('symlink' as const), linkname: target }),
    fc.record({ name, type: fc.constant('link' as const), linkname: target }),
    fc.record({ name, type: fc.constantFrom('fifo' as const, 'character-device' as const) }),
  );

  /** What is outside of the layer: names, modes, times, contents. */
  function outside(): string {
    return execFileSync(
      'sh',
      ['-c', `cd ${dir} && find canary lower -printf '%p %y %m %U %G %n %i %T@\\n' && cat canary/file lower/a/f`],
      { encoding: 'utf8' },
    );
  }

  test('no row of entries changes anything outside, crashes or hangs', { timeout: 60_000 }, async () => {
    mkdirSync(join(dir, 'canary'));
    writeFileSync(join(dir, 'canary/file'), 'alive');
    mkdirSync(join(dir, 'lower/a'), { recursive: true });
    writeFileSync(join(dir, 'lower/a/f'), 'lower');
    const before = outside();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 12 }), async (entries) => {
        const directory = join(dir, `l${++count}`);
        mkdirSync(directory);
        try {
          await applyLayer(
            once(await tar(entries)),
            { directory, lowers: Promise.resolve([join(dir, 'lower')]), meter: new Meter(DEFAULT_LIMITS) },
            never,
          );
        } catch (error) {
          if (!isMinirtError(error) || !['image.invalid', 'image.unsupported'].includes(error.code)) throw error;
        }
        expect(outside()).toBe(before);
        rmSync(directory, { recursive: true });
      }),
      { numRuns: 300, interruptAfterTimeLimit: 10_000 },
    );
    expect(readdirSync(dir).sort()).toEqual(['canary', 'lower']);
  });

  test('no mutation of an archive gives anything but entries or an error of ours', { timeout: 60_000 }, async () => {
    const good = await tar([
      { name: 'dir/' },
      {
        name: `${'long'.repeat(40)}/name`,
        content: 'x'.repeat(700),
        pax: { 'SCHILY.xattr.user.a': 'b', mtime: '1.5' },
      },
      { name: 'link', type: 'symlink', linkname: 'dir' },
    ]);
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.nat(good.length), async (changes, cut) => {
        const bytes = Buffer.from(good);
        for (const { at, byte } of changes) bytes[at] = byte;
        try {
          for await (const member of readTar(once(bytes.subarray(0, changes.length === 0 ? cut : bytes.length)))) {
            for await (const _chunk of member.content);
          }
        } catch (error) {
          if (!isMinirtError(error, 'image.invalid')) throw error;
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 10_000 },
    );
  });

  test('no name becomes a path that is absolute or climbs', () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.string({ unit: 'binary' })), (text) => {
        try {
          const found = entryName(text);
          if (found.kind === 'skipped') return;
          expect(found.path.split('/')).not.toContain('..');
          expect(found.path.startsWith('/')).toBe(false);
          expect(found.path).not.toBe('');
        } catch (error) {
          if (!isMinirtError(error, 'image.invalid')) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
