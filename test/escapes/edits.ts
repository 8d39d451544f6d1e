import type { Edit } from './control.ts';

/** A source text with pieces replaced. Throws when a piece is not there exactly once: the control is out of date then. */
export function applied(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, { file, from, to }) => {
    const count = before.split(from).length - 1;
    if (count !== 1) throw new Error(`${file}: ${JSON.stringify(from)} is there ${count} times, not once`);
    return before.replace(from, () => to);
  }, text);
}
