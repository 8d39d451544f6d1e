import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { controls } from '../escapes/controls.ts';
import { applied } from '../escapes/edits.ts';
import { securityPage } from '../escapes/page.ts';
import { rows } from '../escapes/rows.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const kernel = `${root}test/kernel/`;
const tests = readdirSync(kernel).map((name) => readFileSync(`${kernel}${name}`, 'utf8'));

test('docs/security.md is made from the tables: scripts/generate-docs', async () => {
  await expect(securityPage()).toMatchFileSnapshot(`${root}docs/security.md`);
});

describe('the table of escapes', () => {
  test.each(rows.map((row) => [row.ids[0] ?? '', row] as const))('says the truth about %s', (id, row) => {
    expect(tests.some((text) => text.includes(`${id}:`) || text.includes(`${id},`))).toBe(row.proof === 'test');
    if (row.proof !== 'test') return;
    for (const name of row.controls ?? []) expect(Object.keys(controls)).toContain(name);
    expect((row.controls === undefined) === (row.uncontrolled !== undefined)).toBe(true);
  });

  test('has a use for every build', () => {
    const used = new Set(rows.flatMap((row) => row.controls ?? []));
    expect(Object.keys(controls).filter((name) => !used.has(name))).toEqual([]);
  });
});

test.each(Object.entries(controls))('the build %s still changes what it means to', (_, { edits }) => {
  for (const file of new Set(edits.map((edit) => edit.file))) {
    const before = readFileSync(`${root}${file}`, 'utf8');
    const after = applied(
      before,
      edits.filter((edit) => edit.file === file),
    );
    expect(after).not.toBe(before);
  }
});
