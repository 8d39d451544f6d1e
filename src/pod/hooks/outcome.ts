/** How a handler went, whatever its kind. */
export interface HookOutcome {
  readonly ok: boolean;
  readonly exitCode: number | undefined;
  /** The kubelet's error text; empty when ok. */
  readonly error: string;
  /** What it printed: stdout, then stderr. */
  readonly output: string;
  /** One line for people, for the event; empty when ok. */
  readonly detail: string;
}
