import { mkdtempSync } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Snapshot, diff, snapshot } from '../../src/doctor/snapshot.ts';
import { type Roots, supervisorSocket } from '../../src/state/paths.ts';
import { type CommandResult, runCommand } from '../../src/sys/command.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const STEP_MS = 100;
/** A supervisor without pods goes by itself, and so do a pod's last traces in the kernel. */
const LINGER_MS = 30_000;

export interface CallOptions {
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** The built program with folders of its own, as a user of another host would have it. */
export class Minirt {
  readonly roots: Roots;
  readonly #folder: string;
  readonly #before: Snapshot;

  private constructor(folder: string, roots: Roots, before: Snapshot) {
    this.#folder = folder;
    this.roots = roots;
    this.#before = before;
  }

  /** `recipes`: images that it has from the start. */
  static async open(recipes: readonly string[]): Promise<Minirt> {
    const folder = mkdtempSync(join(tmpdir(), 'mrt-'));
    const roots = { root: join(folder, 'r'), state: join(folder, 's'), logs: join(folder, 'l') };
    const minirt = new Minirt(folder, roots, await snapshot(roots));
    for (const recipe of recipes) await minirt.must(['load', '--recipe', recipe]);
    return minirt;
  }

  /** Runs a command line to its end. */
  run(args: readonly string[], options: CallOptions = {}): Promise<CommandResult> {
    const [file, ...words] = this.command;
    return runCommand(file, [...words, ...args], { ...options, env: this.env });
  }

  /** Runs a command line that has to go well; answers its output. */
  async must(args: readonly string[], options: CallOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(`minirt ${args.join(' ')}: ${stderr.trim()}`);
    return stdout;
  }

  readonly command: readonly [file: string, ...words: string[]] = [process.execPath, MAIN];

  get env(): Record<string, string> {
    const { root, state, logs } = this.roots;
    return { PATH: process.env['PATH'] ?? '', MINIRT_ROOT: root, MINIRT_STATE: state, MINIRT_LOGS: logs };
  }

  /** Ends what is left and removes everything; answers what stayed on the host all the same. */
  async close(): Promise<readonly string[]> {
    await this.run(['delete', 'pods', '--all', '-A', '--now']);
    for (const kind of ['configmaps', 'secrets']) await this.run(['delete', kind, '--all', '-A']);
    let left = await this.#left();
    for (const end = Date.now() + LINGER_MS; left.length > 0 && Date.now() < end; left = await this.#left()) {
      await delay(STEP_MS);
    }
    // What is still mounted or running there must not be pulled away from under it.
    if (left.length === 0) await rm(this.#folder, { recursive: true, force: true });
    return left;
  }

  async #left(): Promise<readonly string[]> {
    if (await exists(supervisorSocket(this.roots))) return ['a supervisor without pods'];
    return diff(this.#before, await snapshot(this.roots));
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
