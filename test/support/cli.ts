import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn as spawnPty } from 'node-pty';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Roots, supervisorSocket } from '../../src/state/paths.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Images are made once for all test runs; everything else of a test is its own. */
export const imageRoot = fileURLToPath(new URL('../../.cache/e2e', import.meta.url));

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The built program in folders of a test's own. */
export class Cli implements AsyncDisposable {
  readonly roots: Roots;
  readonly #folder: string;
  readonly #running = new Set<Call>();
  /** Words before every command line. */
  #through: readonly string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.roots = { root: imageRoot, state: join(folder, 's'), logs: join(folder, 'logs') };
  }

  /** `needed`: recipes whose images the test uses. */
  static async open(...needed: readonly ('busybox' | 'nginx' | 'probe')[]): Promise<Cli> {
    mkdirSync(imageRoot, { recursive: true });
    const cli = new Cli(mkdtempSync(join(tmpdir(), 'mrt-')));
    for (const recipe of needed) expect(await cli.run('load', '--recipe', recipe)).toMatchObject({ code: 0 });
    return cli;
  }

  /** From now on everything is run in a network namespace: the supervisor that this brings about, too. */
  enter(netns: string): void {
    this.#through = ['nsenter', `--net=${netns}`];
  }

  /** Runs a command line to its end. */
  run(...args: readonly string[]): Promise<Result> {
    return this.start(args).done;
  }

  start(args: readonly string[], { input, env = {} }: CallOptions = {}): Call {
    const [file = '', ...words] = [...this.#through, process.execPath, main, ...args];
    const child = spawn(file, words, { env: this.#env(env), stdio: 'pipe' });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    const call = new Call(child);
    this.#running.add(call);
    void call.done.finally(() => this.#running.delete(call));
    return call;
  }

  /** Runs a command line on a terminal. */
  terminal(args: readonly string[], size: { cols: number; rows: number } = { cols: 90, rows: 30 }): Terminal {
    return new Terminal(spawnPty(process.execPath, [main, ...args], { ...size, name: 'xterm', env: this.#env({}) }));
  }

  /** Writes a manifest and answers its path. A pod's name and containers are enough; the rest is filled in. */
  manifest(name: string, spec: object, metadata: object = {}): string {
    const path = join(this.#folder, `${name}.json`);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec };
    writeFileSync(path, JSON.stringify(pod));
    return path;
  }

  file(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Parsed `get pod NAME -o json`. */
  async pod(
    name: string,
  ): Promise<{ metadata: Record<string, string>; status: Record<string, never> & { phase: string } }> {
    const { stdout, stderr, code } = await this.run('get', 'pod', name, '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Awaited<ReturnType<Cli['pod']>>;
  }

  /** Ends what is left, waits for the supervisor to go, removes everything but the images. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const call of this.#running) call.kill('SIGKILL');
    if (existsSync(join(this.roots.state, 'index'))) {
      await this.run('delete', 'pods', '--all', '-A', '--now');
      await eventually(() => {
        expect(existsSync(supervisorSocket(this.roots))).toBe(false);
      });
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #env(more: Readonly<Record<string, string>>): Record<string, string> {
    const { root, state, logs } = this.roots;
    const path = process.env['PATH'] ?? '';
    return { PATH: path, MINIRT_ROOT: root, MINIRT_STATE: state, MINIRT_LOGS: logs, ...more };
  }
}

/** A program for all tests of a file: call it above them. */
export function useCli(...needed: readonly ('busybox' | 'nginx' | 'probe')[]): () => Cli {
  let cli: Cli | undefined;
  beforeAll(async () => {
    cli = await Cli.open(...needed);
  });
  afterAll(() => cli?.[Symbol.asyncDispose]());
  return () => {
    if (cli === undefined) throw new Error('the program is there only while tests run');
    return cli;
  };
}

/** One call that is under way. */
export class Call {
  readonly done: Promise<Result>;
  readonly #child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.done = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 1), stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As `| head` does when it has enough. */
  stopReading(): void {
    this.#child.stdout?.destroy();
  }

  /** Waits until stdout or stderr says something. */
  async says(what: RegExp): Promise<void> {
    await eventually(() => {
      expect(this.stdout + this.stderr).toMatch(what);
    });
  }
}

/** A program on a terminal, with a person before it. */
export class Terminal {
  readonly done: Promise<{ code: number; signal: number | undefined }>;
  readonly #pty: IPty;
  screen = '';

  constructor(pty: IPty) {
    this.#pty = pty;
    pty.onData((text) => (this.screen += text));
    this.done = new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        resolve({ code: exitCode, signal });
      });
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
  }

  /** Waits until the screen shows something after what it showed at `from`; answers where that ended. */
  async shows(what: RegExp, from = 0): Promise<number> {
    await eventually(() => {
      expect(this.screen.slice(from)).toMatch(what);
    });
    const match = what.exec(this.screen.slice(from));
    return from + (match?.index ?? 0) + (match?.[0].length ?? 0);
  }
}

/**
 * Tries until it does not throw; the last failure is the test's after `limit` ms, which are generous: in scripts/vm a command
 * takes seconds.
 */
export async function eventually<T>(check: () => T | Promise<T>, limit = 60_000): Promise<T> {
  for (const end = Date.now() + limit; ; await delay(20)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
