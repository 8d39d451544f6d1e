import { usage } from './verb.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

/** Seconds of a duration in Go's form (`1m30s`, `500ms`) or as a plain number of seconds; undefined if it is neither. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  }
  return total;
}

/** For options: seconds, or a usage error that names the flag. */
export function durationOption(flag: string): (text: string) => number {
  return (text) => {
    const value = parseDuration(text);
    if (value === undefined) throw usage(`${flag}: "${text}" is not a duration`, 'for example 30s, 1m30s or 500ms');
    return value;
  };
}

/** For options: a whole number that is at least `least`, or a usage error that names the flag. */
export function integerOption(flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least)) throw usage(`${flag}: "${text}" is not a whole number from ${least}`);
    return value;
  };
}
