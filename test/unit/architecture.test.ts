import { readdirSync, readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { folderCycles, forbidden, importsOf, type ImportTable } from '../support/imports.ts';

/**
 * Who may import whom. `container` knows no Kubernetes word (a CRI server will use it), so it never imports `manifest`;
 * `image` and `container` do not know each other and meet in `pod`.
 */
const mayImport: ImportTable = {
  base: [],
  sys: ['base'],
  manifest: ['base'],
  helper: ['base', 'sys'],
  state: ['base', 'sys', 'helper'],
  objects: ['base', 'sys', 'manifest', 'state', 'helper'],
  image: ['base', 'sys', 'helper'],
  container: ['base', 'sys', 'helper'],
  network: ['base', 'sys', 'helper'],
  pod: ['base', 'sys', 'manifest', 'state', 'image', 'container', 'network', 'helper'],
  supervisor: ['base', 'sys', 'manifest', 'state', 'image', 'container', 'network', 'helper', 'objects', 'pod'],
  doctor: ['base', 'sys', 'state', 'container', 'network', 'image', 'helper'],
  cli: ['base', 'manifest', 'state', 'objects', 'image', 'pod', 'supervisor', 'doctor', 'network'],
  'main.ts': ['base', 'cli'],
};

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'));
const imports = files.flatMap((file) => importsOf(file, readFileSync(src + file, 'utf8')));

describe('the sources', () => {
  test('import only what the table allows', () => {
    expect(imports).not.toEqual([]);
    expect(forbidden(imports, mayImport)).toEqual([]);
  });

  test('have no cycle between folders', () => {
    expect(folderCycles(imports)).toEqual([]);
  });

  test('are all in the table', () => {
    const folders = new Set(files.map((file) => file.split('/')[0] ?? ''));
    expect([...folders].filter((folder) => !(folder in mayImport))).toEqual([]);
  });
});

describe('the check itself', () => {
  test.each([
    ['a value', `import { step } from '../pod/lifecycle.ts';`],
    ['a type', `import type { State } from "../pod/lifecycle.ts";`],
    ['over several lines', `import {\n  step,\n  type State,\n} from '../pod/lifecycle.ts';`],
    ['a re-export', `export * from '../pod/lifecycle.ts';`],
    ['a bare import', `import '../pod/lifecycle.ts';`],
    ['a dynamic import', `const { step } = await import('../pod/lifecycle.ts');`],
    ['a type written in place', `let s: import('../pod/lifecycle.ts').State;`],
  ])('names a wrong import: %s', (_what, source) => {
    expect(forbidden(importsOf('base/errors.ts', source), mayImport)).toEqual(['base/errors.ts -> pod/lifecycle.ts']);
  });

  test.each([
    ['of the same folder', 'pod/hooks/exec.ts', `import { a } from '../plan.ts'; import { b } from './sleep.ts';`],
    ['that the table allows', 'cli/verbs/run.ts', `import { MinirtError } from '../../base/errors.ts';`],
    ['of packages', 'base/log.ts', `import { pino } from 'pino'; import fs from 'node:fs';`],
  ])('allows imports %s', (_what, file, source) => {
    expect(forbidden(importsOf(file, source), mayImport)).toEqual([]);
  });

  test('refuses image and container to know each other', () => {
    expect(
      forbidden(importsOf('image/snapshot.ts', `import type { RootFs } from '../container/spec.ts';`), mayImport),
    ).toEqual(['image/snapshot.ts -> container/spec.ts']);
  });

  test('finds a cycle of folders once, wherever it starts', () => {
    const cycle = [
      { from: 'pod/a.ts', to: 'state/b.ts' },
      { from: 'state/c.ts', to: 'image/d.ts' },
      { from: 'image/e.ts', to: 'pod/f.ts' },
    ];
    expect(folderCycles(cycle)).toEqual(['image -> pod -> state -> image']);
    expect(folderCycles(cycle.slice(1))).toEqual([]);
  });
});
