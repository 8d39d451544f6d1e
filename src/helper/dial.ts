import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { MinirtError, messageOf } from '../base/errors.ts';
import { helperPath } from './locate.ts';
import { helperFailed } from './process.ts';

export interface DialOptions {
  /** An open file of the network namespace; undefined: the one that this process is in. */
  readonly netns: number | undefined;
  /** Of 127.0.0.1, or else of ::1. */
  readonly port: number;
  /** Ends the connection. */
  readonly signal: AbortSignal;
}

/**
 * Carries a connection, of which nothing was read yet, to a port of the loopback in a network namespace. The socket is
 * the helper's from then on; resolves when the connection is over, also when a side broke it off or `signal` ended it.
 * @throws MinirtError helper.failed with the errno when nobody listens there
 */
export async function dial(connection: Socket, { netns, port, signal }: DialOptions): Promise<void> {
  const words = ['dial', String(port), ...(netns === undefined ? [] : ['join'])];
  const stdio = [connection, 'pipe', 'inherit', ...(netns === undefined ? [] : [netns])];
  const child = spawn(helperPath(), words, { stdio: stdio as [Socket, 'pipe', 'inherit'] });
  const stdout = child.stdout;
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = (): void => {
    child.kill('SIGKILL');
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    // Our copy: the helper has its own by now.
    connection.destroy();
    const [code, killer] = await closed;
    if (code === 0 || signal.aborted) return;
    throw helperFailed('dial', Buffer.concat(chunks).toString(), { code, signal: killer });
  } catch (error) {
    if (error instanceof MinirtError) throw error;
    throw new MinirtError('helper.missing', `run helper: dial: ${messageOf(error)}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', end);
  }
}
