import { MinirtError } from '../base/errors.ts';
import { type Node, type Path, formatPath, locate } from './node.ts';

/** Characters of a path or message that are shown. */
const LONGEST = 1000;

/** Something wrong in a manifest, and where. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** `spec.containers[0].name`; empty when the text as a whole is meant. */
  readonly path: string;
  readonly message: string;
}

/** `file:line:column: path: message`, the form that editors jump to. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}

/** All problems as one error (`manifest.invalid`), one line each; `details.problems` has them as data. */
export function manifestError(problems: readonly Problem[]): MinirtError {
  return new MinirtError('manifest.invalid', problems.map(formatProblem).join('\n'), { details: { problems } });
}

/** Turns offsets into lines and columns. */
export type Places = (offset: number) => { readonly line: number; readonly column: number };

export function placesOf(text: string): Places {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** Text for a terminal: a manifest must not be able to paint it, nor to fill it. */
export function printable(text: string): string {
  const safe = text.replaceAll(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, (char) => JSON.stringify(char).slice(1, -1));
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe;
}

/** Collects what is said about one object. */
export interface Report {
  /** Says what is wrong with the value at `path`; silent when that value was not even readable. */
  problem(path: Path, message: string, at?: number): void;
  /** A problem of shape: whatever else could be said about the value would only confuse. */
  unreadable(path: Path, message: string, at: number): void;
  notice(path: Path, message: string, at: number): void;
}

/** What reports write to. */
export interface Findings {
  readonly file: string;
  readonly places: Places;
  readonly problems: Problem[];
  readonly notices: string[];
}

export function newReport(findings: Findings, root: Node, prefix: Path): Report {
  const broken = new Set<string>();
  /** Everything above something broken. */
  const around = new Set<string>();
  const make = (path: Path, message: string, at: number): Problem => {
    const place = findings.places(at);
    return {
      file: findings.file,
      ...place,
      path: printable(formatPath([...prefix, ...path])),
      message: printable(message),
    };
  };
  return {
    problem(path, message, at = locate(root, path)) {
      const silent = around.has(keyOf(path)) || upwards(path).some((outer) => broken.has(keyOf(outer)));
      if (!silent) findings.problems.push(make(path, message, at));
    },
    unreadable(path, message, at) {
      findings.problems.push(make(path, message, at));
      broken.add(keyOf(path));
      for (const outer of upwards(path)) around.add(keyOf(outer));
    },
    notice(path, message, at) {
      findings.notices.push(formatProblem(make(path, message, at)));
    },
  };
}

/** The path itself and everything above it. */
function upwards(path: Path): readonly Path[] {
  return path.map((_, i) => path.slice(0, i + 1));
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

/** Says each complaint about a value in Kubernetes' form. */
export function complain(report: Report, path: Path, value: unknown, complaints: readonly string[]): void {
  for (const complaint of complaints) report.problem(path, `Invalid value: ${JSON.stringify(value)}: ${complaint}`);
}
