import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFolder, checkKernel, checkProgram, checkUserNamespaces } from '../../../src/doctor/checks.ts';
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

test.each([
  ['6.1.0-56-cloud-amd64', '63000\n', 'none, so hostUsers: false is refused: that takes Linux 6.3'],
  ['6.8.0', '0\n', 'none, so hostUsers: false is refused: sysctl user.max_user_namespaces is 0'],
  ['6.8.0', '63000\n', 'for hostUsers: false'],
])('user namespaces on Linux %s with %j of them at most', (version, most, detail) => {
  expect(checkUserNamespaces(version, most)).toEqual({ ok: true, detail });
});
