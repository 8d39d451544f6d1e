import { parseDuration } from '../base/duration.ts';
import { usage } from './verb.ts';

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
