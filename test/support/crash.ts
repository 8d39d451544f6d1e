import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openImageStore } from '../../src/image/store.ts';
import { ensureRecipe } from '../../src/image/recipe.ts';
import type { JournalEntry } from '../../src/pod/journal-entry.ts';
import type { ContainerRecord } from '../../src/pod/record.ts';
import { type PodView, findPod, readJournal } from '../../src/pod/view.ts';
import { ensureOwned } from '../../src/supervisor/client.ts';
import { supervisorLock } from '../../src/supervisor/host.ts';
import { type Roots, containerPaths } from '../../src/state/paths.ts';
import { openFiles, processes } from '../../src/sys/process.ts';
import { Call, eventually, type Result } from './cli.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export type Entry<K extends JournalEntry['kind']> = Extract<JournalEntry, { kind: K }>;

/** More of a pod's spec, of its container, and of its metadata. */
interface PodSpec {
  readonly container?: object;
  readonly metadata?: object;
  readonly [field: string]: unknown;
}

/** A minirt of a test's own, whose processes can be found, and killed, one by one. */
export class Victim {
  readonly roots: Roots;
  readonly #folder = mkdtempSync('/tmp/mrtc-');
  readonly #children = new Set<ChildProcess>();
  /** Words before every command line. */
  #through: readonly string[] = [];

  constructor() {
    const at = (name: string): string => join(this.#folder, name);
    this.roots = { root: at('r'), state: at('s'), logs: at('l') };
  }

  /** From now on everything is run in a network namespace: the supervisor that this brings about, too. */
  enter(netns: string): void {
    this.#through = ['nsenter', `--net=${netns}`];
  }

  async load(recipe: string): Promise<void> {
    await ensureRecipe(openImageStore(this.roots.root), recipe, new AbortController().signal);
  }

  start(...args: readonly string[]): Call & { readonly pid: number } {
    const { root, state, logs } = this.roots;
    const env = { PATH: process.env['PATH'] ?? '', MINIRT_ROOT: root, MINIRT_STATE: state, MINIRT_LOGS: logs };
    const [file = '', ...words] = [...this.#through, process.execPath, main, ...args];
    const child = spawn(file, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return Object.assign(new Call(child), { pid: child.pid ?? 0 });
  }

  run(...args: readonly string[]): Promise<Result> {
    return this.start(...args).done;
  }

  /** Writes a pod of one container `c` that runs a shell line, and answers the manifest's path. */
  manifest(name: string, line: string, { container = {}, metadata = {}, ...spec }: PodSpec = {}): string {
    const path = join(this.#folder, `${name}.json`);
    const c = { name: 'c', image: 'busybox', imagePullPolicy: 'Never', command: ['/bin/sh', '-c', line], ...container };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name }, spec: { containers: [c], ...spec } };
    writeFileSync(path, JSON.stringify(pod));
    return path;
  }

  async create(name: string, line: string, more: PodSpec = {}): Promise<void> {
    expect(await this.run('create', '-f', this.manifest(name, line, more))).toMatchObject({ code: 0 });
  }

  pod(name: string): Promise<PodView> {
    return findPod(this.roots, 'default', name);
  }

  async container(name: string): Promise<ContainerRecord> {
    const [container] = (await this.pod(name)).record.containers;
    if (container === undefined) throw new Error(`${name} has no container`);
    return container;
  }

  /** Waits until the pod's container is in a phase; answers its record. */
  async until(name: string, phase: ContainerRecord['state']['phase'], limit = 60_000): Promise<ContainerRecord> {
    return eventually(async () => {
      const container = await this.container(name);
      expect(container.state.phase).toBe(phase);
      return container;
    }, limit);
  }

  /** A pod's account, whether it is still there or was deleted. */
  async entries<K extends JournalEntry['kind']>(view: PodView, kind: K): Promise<readonly Entry<K>[]> {
    const shelf = join(this.roots.root, 'deleted');
    const kept = (await readdir(shelf).catch(() => [])).find((name) => name.endsWith(view.uid));
    const path = kept === undefined ? view.paths.journal : join(shelf, kept, 'journal.jsonl');
    return (await readJournal(path)).filter((entry): entry is Entry<K> => entry.kind === kind);
  }

  /** Pids of everything in the container's cgroup, as the host sees them; its first process comes first. */
  async pids(name: string): Promise<readonly number[]> {
    const { state } = await this.container(name);
    if (!('id' in state)) return [];
    const { cgroup } = containerPaths(this.roots, (await this.pod(name)).uid, state.id);
    return pidsIn(readFileSync(cgroup, 'utf8'));
  }

  /** Process that holds the supervisor's lock. */
  supervisor(): number | undefined {
    return holdersOf((target) => target === supervisorLock(this.roots), 'serve')[0];
  }

  /** Kills the supervisor and waits until it is gone. */
  async killSupervisor(): Promise<void> {
    const pid = this.supervisor();
    if (pid === undefined) throw new Error('there is no supervisor');
    process.kill(pid, 'SIGKILL');
    await eventually(() => {
      expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    });
  }

  /** The processes that watch a pod's containers. */
  async monitors(name: string): Promise<readonly number[]> {
    const { dir } = (await this.pod(name)).paths;
    return holdersOf((target) => target.startsWith(`${dir}/`), 'monitor');
  }

  /** Has the pod taken by a supervisor, if nobody owns it. */
  async adopted(name: string): Promise<void> {
    await ensureOwned(this.roots, (await this.pod(name)).uid);
  }

  /** Ends all pods and waits until the supervisor has gone. */
  async clear(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    const { code, stderr } = await this.run('delete', 'pods', '--all', '-A', '--now');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    await eventually(() => {
      expect(this.supervisor()).toBeUndefined();
    });
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Processes with this word on their command line that have such a file open. */
function holdersOf(fits: (target: string) => boolean, word: string): readonly number[] {
  return processes()
    .filter(({ command }) => command.includes(word))
    .filter(({ pid }) => openFiles(pid).some(({ target }) => fits(target)))
    .map(({ pid }) => pid);
}

function pidsIn(cgroup: string): readonly number[] {
  if (!existsSync(cgroup)) return [];
  return readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}
