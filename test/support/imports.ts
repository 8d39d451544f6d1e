/** Reads who imports whom out of TypeScript sources, and judges it by a table of folders. */

/** Folder of `src` (or a file directly in it) → the folders it may import from, besides itself. */
export type ImportTable = Readonly<Record<string, readonly string[]>>;

/** One import between two files; both paths are relative to `src`, with forward slashes. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** The relative imports, re-exports and dynamic imports of one source; types count, packages do not. */
export function importsOf(file: string, source: string): Import[] {
  const specifiers = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])(\.[^'"]*)\1/g);
  return [...specifiers].map(([, , specifier]) => ({ from: file, to: resolve(file, specifier ?? '') }));
}

/** The imports that the table does not allow, each as `base/errors.ts -> pod/lifecycle.ts`. */
export function forbidden(imports: readonly Import[], table: ImportTable): string[] {
  return imports
    .filter(({ from, to }) => folderOf(from) !== folderOf(to) && !table[folderOf(from)]?.includes(folderOf(to)))
    .map(({ from, to }) => `${from} -> ${to}`);
}

/** Cycles between folders, each as `a -> b -> a`; empty when the folders can be put in an order. */
export function folderCycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [a, b] = [folderOf(from), folderOf(to)];
    if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
  }
  const cycles = new Set<string>();
  const visit = (folder: string, path: readonly string[]): void => {
    const seenAt = path.indexOf(folder);
    if (seenAt >= 0) {
      cycles.add(startingAtLeast(path.slice(seenAt)).join(' -> '));
      return;
    }
    for (const next of edges.get(folder) ?? []) visit(next, [...path, folder]);
  };
  for (const folder of edges.keys()) visit(folder, []);
  return [...cycles].sort();
}

function folderOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function resolve(file: string, specifier: string): string {
  const url = new URL(specifier, `file:///src/${file}`);
  return decodeURIComponent(url.pathname).replace(/^\/src\//, '');
}

/** One cycle has as many spellings as members; this one starts at its first name in the alphabet. */
function startingAtLeast(cycle: readonly string[]): string[] {
  const first = cycle.indexOf([...cycle].sort()[0] ?? '');
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
  return [...turned, ...turned.slice(0, 1)];
}
