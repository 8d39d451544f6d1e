/** Lines of a description: cells end with tabs, levels are indents of two blanks. */
export class Lines {
  readonly #lines: string[] = [];

  /** One line; every cell but the last ends a column. Control characters of a cell cannot break the layout. */
  add(level: number, ...cells: readonly string[]): void {
    const safe = cells.map((cell) => cell.replaceAll(/[\t\n\r]+/g, ' ').replaceAll(/\p{Cc}/gu, ''));
    this.#lines.push('  '.repeat(level) + safe.join('\t'));
  }

  get all(): readonly string[] {
    return this.#lines;
  }
}
