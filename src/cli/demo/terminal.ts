import { MinirtError } from '../../base/errors.ts';
import { abortReason } from '../../base/clock.ts';
import type { Context } from '../verb.ts';
import type { Played, Stage } from './stage.ts';

const ANSWER_MS = 20_000;
const NO_TERMINAL = 'node-pty is not there, so there is no terminal to type into: `scripts/setup` builds it';

/** One thing to do at a terminal: wait for what must be on the screen, then type. */
export interface Line {
  readonly after: RegExp;
  readonly type: string;
}

/** Plays a command on a real terminal and types into it, as a person would; the screen is shown as it comes. */
export async function playOnTerminal(
  { io }: Context,
  stage: Stage,
  { args, lines }: { args: readonly string[]; lines: readonly Line[] },
): Promise<Played> {
  const pty = await import('node-pty').catch((error: unknown) => {
    throw new MinirtError('host.unsupported', NO_TERMINAL, { cause: error });
  });
  io.stdout.write(`\n$ minirt ${args.join(' ')}\n`);
  const { file, args: all, env } = stage.command(args);
  const terminal = pty.spawn(file, all, { name: 'xterm', cols: 100, rows: 30, env });
  const screen = { text: '', from: 0 };
  const todo = [...lines];
  return new Promise<Played>((resolve, reject) => {
    const timer = setTimeout(() => {
      end();
      reject(new MinirtError('deadline.exceeded', `demo: the shell did not show ${String(todo[0]?.after)} in time`));
    }, ANSWER_MS);
    const abort = (): void => {
      end();
      reject(abortReason(io.signal));
    };
    const end = (): void => {
      clearTimeout(timer);
      io.signal.removeEventListener('abort', abort);
      terminal.kill('SIGHUP');
    };
    io.signal.addEventListener('abort', abort, { once: true });
    terminal.onData((data) => {
      io.stdout.write(data);
      screen.text += data;
      const next = todo[0];
      const match = next?.after.exec(screen.text.slice(screen.from));
      if (next === undefined || match === undefined || match === null) return;
      screen.from += match.index + match[0].length;
      todo.shift();
      terminal.write(`${next.type}\r`);
    });
    terminal.onExit(({ exitCode }) => {
      end();
      resolve({ code: exitCode, output: screen.text });
    });
  });
}
