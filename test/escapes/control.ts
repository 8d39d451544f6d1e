/** A piece of a source file, which must be there exactly once, and what takes its place. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Control {
  /** What the build does without. */
  readonly without: string;
  readonly edits: readonly Edit[];
  /** File below test/kernel, and a pattern of titles; all that it matches must fail. */
  readonly tests: readonly (readonly [file: string, titles: string])[];
  /** The same, of tests that win a race only now and then: one failure in a few runs will do. */
  readonly raced?: readonly (readonly [file: string, titles: string])[];
}
