/**
 * The word of `known` that `word` was most likely meant to be; undefined when none is close enough to be worth saying.
 * With `reach` `any` every word counts that has anything in common with it, most of all one that begins with it.
 */
export function nearest(word: string, known: readonly string[], reach: 'close' | 'any' = 'close'): string | undefined {
  const lower = word.toLowerCase();
  if (reach === 'any') {
    const longer = known.find((candidate) => candidate.toLowerCase().startsWith(lower));
    if (longer !== undefined) return longer;
  }
  const close = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const most = reach === 'close' ? close : Math.max(word.length, candidate.length) - 1;
    if (Math.abs(candidate.length - word.length) > most) continue;
    const distance = edits(lower, candidate.toLowerCase());
    if (distance <= most && distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
function edits(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
