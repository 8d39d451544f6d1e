import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { openFiles } from '../../src/sys/process.ts';
import type { Minirt } from './minirt.ts';

const STEP_MS = 20;
const ATTACH_SECONDS = 20;
/** Its pod is gone: there is nothing more to come. */
const END_SECONDS = 20;

/** Calls of `minirt logs -f` that are under way. */
export class Followed implements AsyncDisposable {
  readonly #calls: readonly Call[];

  private constructor(calls: readonly Call[]) {
    this.#calls = calls;
  }

  /** Begins the calls and waits until each has its log open, or is over: what is printed from then on is not missed. */
  static async open(minirt: Minirt, { calls }: { calls: readonly (readonly string[])[] }): Promise<Followed> {
    const followed = new Followed(calls.map((args) => new Call(minirt, args)));
    for (const call of followed.#calls) await call.attached();
    return followed;
  }

  /** What each of them printed; those that never found a log printed nothing. */
  async toTheEnd(): Promise<readonly string[]> {
    return Promise.all(this.#calls.map((call) => call.toTheEnd()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const call of this.#calls) await call.end();
  }
}

class Call {
  readonly #child: ChildProcess;
  readonly #logs: string;
  readonly #closed: Promise<unknown>;
  #stdout = '';
  #over = false;

  constructor({ command, env, roots }: Minirt, args: readonly string[]) {
    this.#logs = roots.logs;
    const [file, ...words] = command;
    this.#child = spawn(file, [...words, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#closed = once(this.#child, 'close').finally(() => (this.#over = true));
    // Whoever waits for it hears of a failure.
    this.#closed.catch(() => undefined);
  }

  async attached(): Promise<void> {
    for (const end = Date.now() + ATTACH_SECONDS * 1000; !this.#over && !this.#hasItsLog(); await delay(STEP_MS)) {
      if (Date.now() > end) throw new Error(`logs -f did not open a log in ${ATTACH_SECONDS} s`);
    }
  }

  async toTheEnd(): Promise<string> {
    const late = new AbortController();
    await Promise.race([this.#closed, delay(END_SECONDS * 1000, undefined, { signal: late.signal })]);
    late.abort();
    if (!this.#over) throw new Error(`logs -f went on for ${END_SECONDS} s after the pod was gone`);
    return this.#stdout;
  }

  async end(): Promise<void> {
    if (this.#over) return;
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #hasItsLog(): boolean {
    return openFiles(this.#child.pid ?? 0).some(({ target }) => target.startsWith(`${this.#logs}/`));
  }
}
