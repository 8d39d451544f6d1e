/** A published escape, and what becomes of it here. */
export interface Row {
  /** CVE numbers, and those of advisories without one. */
  readonly ids: readonly string[];
  /** What went wrong elsewhere. */
  readonly how: string;
  /** What is done here. */
  readonly defence: string;
  /** Whether a test has the first id in its title; else why there is nothing to test, or that the test is still to come. */
  readonly proof: 'test' | { readonly absent: string } | { readonly open: string };
  /** Names in controls.ts; missing: why no build can go without the defence. */
  readonly controls?: readonly string[];
  readonly uncontrolled?: string;
}
