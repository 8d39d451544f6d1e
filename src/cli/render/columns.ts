export interface ColumnStyle {
  readonly minWidth: number;
  readonly padding: number;
}

/** kubectl get. */
export const TABLE: ColumnStyle = { minWidth: 6, padding: 3 };
/** kubectl describe. */
export const DESCRIPTION: ColumnStyle = { minWidth: 0, padding: 2 };

/**
 * Lays out lines whose cells end with tabs, by the rules of Go's text/tabwriter: a column is a run of neighbouring lines
 * that have that cell; what follows a line's last tab belongs to no column.
 */
export function layOut(lines: readonly string[], style: ColumnStyle): string {
  const rows = lines.map((line) => line.split('\t'));
  const widths = rows.map((): number[] => []);
  measure(rows, widths, { from: 0, to: rows.length, column: 0, style });
  const text = rows.map((cells, i) =>
    cells.map((cell, column) => (column < cells.length - 1 ? cell.padEnd(widths[i]?.[column] ?? 0) : cell)).join(''),
  );
  return text.map((line) => `${line}\n`).join('');
}

function measure(
  rows: readonly (readonly string[])[],
  widths: readonly number[][],
  block: { readonly from: number; readonly to: number; readonly column: number; readonly style: ColumnStyle },
): void {
  const { column, style } = block;
  let from = block.from;
  while (from < block.to) {
    let to = from;
    let width = style.minWidth;
    for (; to < block.to; to++) {
      const cells = rows[to] ?? [];
      if (column >= cells.length - 1) break;
      width = Math.max(width, (cells[column] ?? '').length + style.padding);
    }
    for (let i = from; i < to; i++) widths[i]?.push(width);
    if (to > from) measure(rows, widths, { ...block, from, to, column: column + 1 });
    from = Math.max(to, from + 1);
  }
}

/** A table of kubectl: a heading and rows, every cell but the last padded. */
export function table(heading: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  const all = heading === undefined ? rows : [heading, ...rows];
  return layOut(
    all.map((cells) => cells.map(oneLine).join('\t')),
    TABLE,
  );
}

/** Tables are for terminals: nothing from a manifest or an image may move the cursor or break a row. */
function oneLine(cell: string): string {
  return cell.replaceAll(/[\t\n\r]+/g, ' ').replaceAll(/\p{Cc}/gu, '');
}
