/** Of the tables that kubectl get prints. */
const LEAST_WIDTH = 6;
const PADDING = 3;
/** Of a description. */
const GAP = 2;

/**
 * Lays out a description, whose cells end with tabs, by the rules of Go's text/tabwriter: a column is a run of
 * neighbouring lines that have that cell; what follows a line's last tab belongs to no column.
 */
export function layOut(lines: readonly string[]): string {
  const rows = lines.map((line) => line.split('\t'));
  const widths = rows.map((): number[] => []);
  measure(rows, widths, { from: 0, to: rows.length, column: 0 });
  const text = rows.map((cells, i) =>
    cells.map((cell, column) => (column < cells.length - 1 ? cell.padEnd(widths[i]?.[column] ?? 0) : cell)).join(''),
  );
  return text.map((line) => `${line}\n`).join('');
}

function measure(
  rows: readonly (readonly string[])[],
  widths: readonly number[][],
  block: { readonly from: number; readonly to: number; readonly column: number },
): void {
  const { column } = block;
  let from = block.from;
  while (from < block.to) {
    let to = from;
    let width = 0;
    for (; to < block.to; to++) {
      const cells = rows[to] ?? [];
      if (column >= cells.length - 1) break;
      width = Math.max(width, (cells[column] ?? '').length + GAP);
    }
    for (let i = from; i < to; i++) widths[i]?.push(width);
    if (to > from) measure(rows, widths, { ...block, from, to, column: column + 1 });
    from = Math.max(to, from + 1);
  }
}

/** A table of kubectl: a heading and rows, every cell but the last padded. */
export function table(heading: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  return new GrowingTable().add(heading === undefined ? rows : [heading, ...rows]);
}

/** A table whose rows come one after the other: a column keeps the width that it had, as kubectl's do. */
export class GrowingTable {
  readonly #widths: number[] = [];

  /** More rows, as text. All rows of a table have the same number of cells. */
  add(rows: readonly (readonly string[])[]): string {
    const safe = rows.map((cells) => cells.map(oneLine));
    for (const cells of safe) {
      for (const [i, cell] of cells.slice(0, -1).entries()) {
        this.#widths[i] = Math.max(this.#widths[i] ?? LEAST_WIDTH, cell.length + PADDING);
      }
    }
    const padded = (cell: string, i: number, { length }: readonly string[]): string =>
      i === length - 1 ? cell : cell.padEnd(this.#widths[i] ?? 0);
    return safe.map((cells) => `${cells.map(padded).join('')}\n`).join('');
  }
}

/** Tables are for terminals: nothing from a manifest or an image may move the cursor or break a row. */
function oneLine(cell: string): string {
  return cell.replaceAll(/[\t\n\r]+/g, ' ').replaceAll(/\p{Cc}/gu, '');
}
