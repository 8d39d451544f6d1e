import type { Recording } from './recording.ts';
import type { Result } from './suite.ts';

/** How a recording went, over all of its replays. */
export interface Row {
  readonly recording: Recording;
  readonly results: readonly Result[];
}

/** What there is to say of a replay in a line. */
export function resultText(result: Result): string {
  switch (result.kind) {
    case 'ok':
      return 'ok';
    case 'not yet':
      return `not yet (${result.area}: ${result.reason})`;
    case 'differs': {
      const [first = '', ...more] = result.differences;
      return `differs: ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
    }
    default:
      return result satisfies never;
  }
}

/** What there is to say of a recording: of several replays, whether they agreed with one another. */
export function rowText({ results }: Row): string {
  const [first] = results;
  if (first === undefined) return 'not replayed';
  const well = results.filter(({ kind }) => kind === 'ok').length;
  const differing = results.find(({ kind }) => kind === 'differs');
  if (differing === undefined)
    return results.length > 1 ? `${resultText(first)} (${well} of ${results.length})` : resultText(first);
  const text = resultText(differing);
  return isUnstable({ results }) ? `unstable (${well} of ${results.length} ok), ${text}` : text;
}

/** Whether replays of one recording went differently. */
export function isUnstable({ results }: Pick<Row, 'results'>): boolean {
  return new Set(results.map(({ kind }) => kind)).size > 1;
}

export interface Summary {
  readonly ok: number;
  readonly differ: number;
  readonly unstable: number;
  readonly notYet: number;
}

/** Counts recordings; an unstable one is among those that differ. */
export function summaryOf(rows: readonly Row[]): Summary {
  const has = (row: Row, kind: Result['kind']): boolean => row.results.some((one) => one.kind === kind);
  return {
    ok: rows.filter(({ results }) => results.length > 0 && results.every(({ kind }) => kind === 'ok')).length,
    differ: rows.filter((row) => has(row, 'differs')).length,
    unstable: rows.filter(isUnstable).length,
    notYet: rows.filter((row) => has(row, 'not yet')).length,
  };
}

/** Scenario × result. */
export function tableText(rows: readonly Row[]): string {
  const width = Math.max(0, ...rows.map(({ recording }) => recording.name.length));
  return rows.map((row) => `${row.recording.name.padEnd(width)}  ${rowText(row)}\n`).join('');
}

/** The whole truth, for programs. */
export function reportJson(rows: readonly Row[], about: { seconds: number; left: readonly string[] }): string {
  const scenarios = rows.map(({ recording: { name, area }, results }) => ({ name, area, results }));
  return `${JSON.stringify({ summary: summaryOf(rows), ...about, scenarios }, undefined, 2)}\n`;
}
