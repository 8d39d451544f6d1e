import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { abortReason } from '../base/clock.ts';

export interface CommandResult {
  /** Exit status; undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors that it inherits, from 3 on. */
  readonly inherit?: readonly number[];
  /** Kills the command and its children when aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program of the host to its end and gives what it said. Rejects with Node's system error when it cannot be
 * started (`ENOENT`), and with the signal's reason when that ended it: by then neither the program nor a child of it that
 * holds its stderr is left, so that what it did can be undone.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { signal, env, input = '', inherit = [] } = options;
  throwIfAborted(signal);
  // A process group of its own: a Ctrl-C at our terminal is for us to act on, not for a half-done plugin.
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe', ...inherit],
    detached: true,
    ...(env === undefined ? {} : { env: { ...env } }),
  }) as ChildProcessWithoutNullStreams;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const kill = (): void => {
    killGroup(child);
  };
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    throwIfAborted(signal);
    const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
    return { code: code ?? undefined, stdout: text(out), stderr: text(err) };
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortReason(signal);
}

/** The group lives as long as a process is in it, so its number is nobody else's while we have not seen `close`. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of it ended by itself.
  }
}
