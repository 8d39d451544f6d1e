import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { abortReason } from '../../base/clock.ts';
import { type Roots, supervisorSocket } from '../../state/paths.ts';
import type { Context } from '../verb.ts';

/** An on-demand supervisor without pods goes after two seconds; twice that is patience enough. */
const FAREWELL_MS = 5000;

const run = promisify(execFile);

export interface Played {
  readonly code: number;
  readonly output: string;
}

/** Plays command lines of minirt as a person would, in a state folder of its own, so that nobody's pods are touched. */
export class Stage implements AsyncDisposable {
  readonly #context: Context;
  readonly #roots: Roots;
  readonly #folder: string;

  private constructor(context: Context, folder: string) {
    this.#context = context;
    this.#folder = folder;
    this.#roots = { root: context.roots.root, state: join(folder, 'state'), logs: join(folder, 'logs') };
  }

  /** Images are those of the context: making one takes a minute, and the next demo has it. */
  static async open(context: Context): Promise<Stage> {
    return new Stage(context, await mkdtemp(join(tmpdir(), 'minirt-demo-')));
  }

  get roots(): Roots {
    return this.#roots;
  }

  /** The command that is this program. */
  command(args: readonly string[]): { file: string; args: string[]; env: Record<string, string | undefined> } {
    const main = fileURLToPath(
      new URL(`../../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    );
    const { root, state, logs } = this.#roots;
    return {
      file: process.execPath,
      args: [...process.execArgv, main, ...args],
      env: { ...this.#context.io.env, MINIRT_ROOT: root, MINIRT_STATE: state, MINIRT_LOGS: logs },
    };
  }

  /** Shows the command as it would be typed, runs it, shows what it prints. */
  async play(args: readonly string[], shown: readonly string[] = args): Promise<Played> {
    this.#context.io.stdout.write(`\n$ minirt ${shown.join(' ')}\n`);
    return this.run(args, true);
  }

  async run(args: readonly string[], show: boolean): Promise<Played> {
    const { io } = this.#context;
    const { file, args: all, env } = this.command(args);
    const child = spawn(file, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const [from, to] of [
      [child.stdout, io.stdout],
      [child.stderr, io.stderr],
    ] as const) {
      from.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (show) to.write(text);
      });
    }
    const stop = (): void => void child.kill('SIGTERM');
    if (show) io.signal.addEventListener('abort', stop, { once: true });
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => {
        resolve(status ?? 1);
      });
    });
    io.signal.removeEventListener('abort', stop);
    if (show && io.signal.aborted) throw abortReason(io.signal);
    return { code, output };
  }

  /** Ends what is left, whatever happened, and waits for the supervisor to go. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(join(this.#roots.state, 'index'))) {
      await this.run(['delete', 'pods', '--all', '--now'], false);
      const until = performance.now() + FAREWELL_MS;
      while (existsSync(supervisorSocket(this.#roots)) && performance.now() < until) await delay(50);
    }
    // The private mount that a state folder keeps its namespaces in stays as long as the folder does.
    await run('umount', [join(this.#roots.state, 'm')]).catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
