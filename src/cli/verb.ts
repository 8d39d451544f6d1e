import { MinirtError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Roots } from '../state/paths.ts';
import type { Io } from './io.ts';

/** What every verb gets: the global flags, resolved. */
export interface Context {
  readonly io: Io;
  readonly roots: Roots;
  /** `-n`, else `default`. */
  readonly namespace: string;
  /** Whether `-n` was given. */
  readonly namespaceGiven: boolean;
  /** `-A`. */
  readonly allNamespaces: boolean;
  /** Arguments and environment that make another minirt use the same roots. */
  readonly logLevel: string;
  readonly logFormat: 'pretty' | 'json';
  /** Made when asked for: most verbs never log. */
  log(): Promise<Logger>;
}

export interface OptionSpec {
  /** In commander's grammar: `-o, --output <format>`. */
  readonly flags: string;
  readonly text: string;
  readonly parse?: (word: string, previous: never) => unknown;
  readonly choices?: readonly string[];
  readonly hidden?: boolean;
}

/** What the words and flags of one call were. */
export interface Call<Options> {
  readonly words: readonly string[];
  /** What followed `--`; undefined without one. Only for verbs that take a command. */
  readonly command: readonly string[] | undefined;
  readonly options: Options;
}

/** One verb: what it accepts, and what it does. Answers the exit status. */
export interface Verb<Options = object> {
  /** In commander's grammar: `<pod>`, `[words...]`. */
  readonly arguments: string;
  readonly options: readonly OptionSpec[];
  readonly takesCommand?: boolean;
  /** Shown after the options in `--help`. */
  readonly notes?: string;
  run(context: Context, call: Call<Options>): Promise<number>;
}

/** A mistake in the command line. */
export function usage(message: string, hint?: string): MinirtError {
  return new MinirtError('usage', message, hint === undefined ? {} : { hint });
}

/** For what the command line contract names and this version does not do: never silently ignored. */
export function notYet(what: string): MinirtError {
  return new MinirtError('usage', `${what} is not yet supported`);
}
