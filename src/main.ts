import { exitCodeOf } from './cli/exit-code.ts';
import { runProgram } from './cli/program.ts';
import { type Interrupt, Interrupted, type Io } from './cli/io.ts';
import { isErrno } from './base/errors.ts';

const controller = new AbortController();
const listeners = new Set<(signal: Interrupt) => void>();

/** For a verb that has nothing to put in order: what it waits for may not know of signals. */
const PATIENCE_MS = 1000;

function interrupt(signal: Interrupt): void {
  controller.abort(new Interrupted(signal));
  for (const listener of listeners) listener(signal);
  if (listeners.size > 0) return;
  setTimeout(() => process.exit(exitCodeOf(new Interrupted(signal), undefined)), PATIENCE_MS).unref();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupt(signal);
  });
}
for (const stream of [process.stdout, process.stderr]) {
  // Nobody reads any more: as good as a signal, and no reason for a stack trace.
  stream.on('error', (error) => {
    if (!isErrno(error, 'EPIPE')) throw error;
    if (!controller.signal.aborted) interrupt('SIGPIPE');
  });
}

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
  onInterrupt: (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

// Handles that outlive the verb (a socket, a watched file) must not keep the process; on Linux stdout is synchronous.
process.exit(await runProgram(io, process.argv.slice(2)));
