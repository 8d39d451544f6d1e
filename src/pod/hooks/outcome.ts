/** How a handler went, whatever its kind. */
export interface HookOutcome {
  readonly ok: boolean;
  readonly exitCode: number | undefined;
  /** The kubelet's error text; empty when ok. */
  readonly error: string;
  /** What it printed or answered: of a command stdout, then stderr. */
  readonly output: string;
  /** One line for people: why it failed, for the event; of a success what there is to say of it. */
  readonly detail: string;
}
