import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFolder, checkKernel, checkProgram } from '../../../src/doctor/checks.ts';
import { checkNode } from '../../../src/doctor/node.ts';

test.each([
  ['20.18.3', false],
  ['20.19.0', true],
  ['22.0.0', true],
  ['18.20.0', false],
])('Node %s will do: %j', (version, ok) => {
  const found = checkNode(version);
  expect(found.ok).toBe(ok);
  expect(found.hint === undefined).toBe(ok);
});

test.each([
  ['5.15.0-generic', true],
  ['5.10.0', false],
  ['6.1.0', true],
])('Linux %s will do: %j', (version, ok) => {
  expect(checkKernel(version).ok).toBe(ok);
});

describe('folders', () => {
  test('one that is still to be made counts as its parent', () => {
    const dir = mkdtempSync(join(tmpdir(), 'mrt-chk-'));
    expect(checkFolder(join(dir, 'a', 'b'), '--state')).toEqual({ ok: true, detail: join(dir, 'a', 'b') });
    rmSync(dir, { recursive: true });
  });

  test('one below a file cannot be made', () => {
    expect(checkFolder('/proc/version/x', '--root')).toMatchObject({
      ok: false,
      hint: 'choose another folder with --root',
    });
  });
});

test('a program that is missing says how to get it', async () => {
  const found = await checkProgram('/nowhere/prog', [], 'apt install prog');
  expect(found).toMatchObject({ ok: false, hint: 'apt install prog' });
});
