import { MinirtError } from '../base/errors.ts';

/** Signals that ask minirt to stop what it is doing. */
export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

/** The world a verb talks to: passed in, so that a verb never reaches for `process`. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first interrupt; its reason is an {@link Interrupted}. */
  readonly signal: AbortSignal;
  /** Calls `listener` for every interrupt, the first one included. Returns the way to stop that. */
  onInterrupt(listener: (signal: Interrupt) => void): () => void;
}

/** Thrown by whatever an interrupt ended; the process then ends as if the signal had killed it. */
export class Interrupted extends MinirtError {
  readonly signal: Interrupt;

  constructor(signal: Interrupt) {
    super('aborted', `interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** One line for a program or a person to read. */
export function say(io: Io, line: string): void {
  io.stdout.write(`${line}\n`);
}

/** One line beside the output: progress, notes, warnings. */
export function tell(io: Io, line: string): void {
  io.stderr.write(`${line}\n`);
}
